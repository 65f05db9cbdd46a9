import type { SshTarget } from '../../src/config/schema.ts'

/** A target as the configuration makes it of a bare host. */
export function sshTarget(target: Partial<SshTarget> & Pick<SshTarget, 'host'>): SshTarget {
  return {
    port: undefined,
    user: undefined,
    auth: undefined,
    identityFile: undefined,
    jump: undefined,
    knownHostsFile: undefined,
    connectTimeoutMs: 15_000,
    loginTimeoutMs: 15_000,
    channelTimeoutMs: 8_000,
    transport: 'auto',
    nudge: true,
    ...target,
  }
}
