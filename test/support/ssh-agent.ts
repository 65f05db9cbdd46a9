// Starts a real ssh-agent that holds given keys.
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runOrThrow } from '../../scripts/provision/command.ts'
import { findOpenssh, type Openssh } from '../../scripts/provision/openssh.ts'
import { endWatched, startWatched } from './watched-process.ts'

/** A private key's file, and its passphrase when it has one. */
export type AgentKey = { path: string; passphrase?: string }

/** `socket` is what SSH_AUTH_SOCK would be. `stop` may be called twice. */
export type Agent = { socket: string; stop(): Promise<void> }

/** @throws Error when there is no OpenSSH, the agent does not start, or a key cannot be added. */
export async function startAgent(keys: readonly AgentKey[], given?: Openssh): Promise<Agent> {
  const openssh = given ?? (await findOpenssh())
  if (openssh.kind === 'missing') throw new Error(openssh.reason)
  const folder = await mkdtemp(join(tmpdir(), 'agent-'))
  const socket = join(folder, 'socket')
  const watched = startWatched(openssh.agent, ['-D', '-a', socket], {})
  const stop = async () => {
    await endWatched(watched, 'SIGTERM')
    await rm(folder, { recursive: true, force: true })
  }
  try {
    await watched.waitFor(/SSH_AUTH_SOCK=/)
    const askpass = join(folder, 'askpass')
    await writeFile(askpass, '#!/bin/sh\nprintf "%s\\n" "$TEST_PASSPHRASE"\n')
    await chmod(askpass, 0o700)
    for (const key of keys) {
      const environment = {
        SSH_AUTH_SOCK: socket,
        SSH_ASKPASS: askpass,
        SSH_ASKPASS_REQUIRE: 'force',
        TEST_PASSPHRASE: key.passphrase ?? '',
      }
      await runOrThrow(openssh.add, ['-q', key.path], { environment })
    }
    return { socket, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
