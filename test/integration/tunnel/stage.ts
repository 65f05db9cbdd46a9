// The stage of tests before one real sshd: the sshd, an HTTP server behind it, a folder of their own, and the servers that
// a test opens, which are closed after it. A single server, with whatever is behind it, is opened by tunnel-rig.ts.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll } from 'vitest'
import type { Server } from '../../../src/tunnel/server.ts'
import { type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts'
import { type Backend, openRig, type Rig, type RigOptions, startBackend } from './tunnel-rig.ts'

export interface Stage {
  /** All three are there from the first `beforeAll` after the stage's on. */
  readonly sshd: Sshd
  readonly backend: Backend
  readonly folder: string
  /** Opens a server at the sshd, whose host key is known and whose user logs in by key, but for what is said otherwise. */
  rig(options?: Partial<RigOptions>): Promise<Rig>
}

/**
 * Sets the stage for the `describe` that it is called in.
 * What must hold after a test's servers are closed is a hook set before this one, since vitest goes backwards through them.
 */
export function setStage(options: SshdOptions): Stage {
  let sshd: Sshd
  let backend: Backend
  let folder: string
  const open: Server[] = []

  beforeAll(async () => {
    sshd = await startSshd(options)
    backend = await startBackend()
    folder = mkdtempSync(join(tmpdir(), 'tunnel-'))
  })
  afterEach(() => {
    for (const server of open.splice(0)) server.close()
  })
  afterAll(async () => {
    await backend.stop()
    await sshd.stop()
    rmSync(folder, { recursive: true })
  })

  return {
    get sshd() {
      return sshd
    },
    get backend() {
      return backend
    },
    get folder() {
      return folder
    },
    async rig(more = {}) {
      const { host, port, user, clientKey } = sshd
      const known = { identityFile: clientKey.path, knownHosts: sshd.knownHostsLine() }
      const made = await openRig({ folder, backend, host, port, user, ...known, ...more })
      open.push(made.server)
      return made
    },
  }
}
