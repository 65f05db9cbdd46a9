// OpenSSH's own client as what we are measured against: `ssh -L` by hand, and `ssh -W`.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { freePort } from '../test/support/free-port.ts'
import type { Sshd } from '../test/support/sshd.ts'
import { knownHostsLine } from '../test/support/sshd-files.ts'

/** An SSH server as a client sees it; `port` may be that of a proxy before it. */
export interface Destination {
  host: string
  port: number
  user: string
  identityFile: string
  knownHostsFile: string
}

const PATIENCE_MS = 10_000
const LOOK_AGAIN_MS = 10

/** The test's sshd, reached through `port`. */
export async function destinationOf(sshd: Sshd, port: number): Promise<Destination> {
  const knownHostsFile = join(sshd.folder, `known_hosts-${port}`)
  await writeFile(knownHostsFile, `${knownHostsLine({ host: sshd.host, port }, sshd.hostKey)}\n`)
  return { host: sshd.host, port, user: sshd.user, identityFile: sshd.clientKey.path, knownHostsFile }
}

export interface Forward {
  port: number
  stop(): Promise<void>
}

/** `ssh -N -L`: resolves when its port takes connections. */
export async function startForward(ssh: string, destination: Destination, targetPort: number): Promise<Forward> {
  const port = await freePort()
  const child = start(ssh, destination, ['-N', '-L', `127.0.0.1:${port}:127.0.0.1:${targetPort}`])
  const stop = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    child.kill()
    await once(child, 'exit')
  }
  const deadline = performance.now() + PATIENCE_MS
  while (!(await accepts(port))) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop()
      throw new Error('ssh -L does not take connections')
    }
    await delay(LOOK_AGAIN_MS)
  }
  return { port, stop }
}

/** `ssh -W`: its standard input and output are the connection. */
export function startStdio(ssh: string, destination: Destination, targetPort: number): ChildProcessWithoutNullStreams {
  return start(ssh, destination, ['-W', `127.0.0.1:${targetPort}`])
}

function start(ssh: string, to: Destination, args: readonly string[]): ChildProcessWithoutNullStreams {
  const settings = {
    UserKnownHostsFile: to.knownHostsFile,
    StrictHostKeyChecking: 'yes',
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    ExitOnForwardFailure: 'yes',
    ControlPath: 'none',
    LogLevel: 'ERROR',
  }
  const options = Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`])
  const own = ['-F', 'none', ...options, '-i', to.identityFile, '-p', String(to.port), ...args]
  const child = spawn(ssh, [...own, `${to.user}@${to.host}`])
  child.on('error', () => {})
  child.stdin.on('error', () => {})
  child.stderr.pipe(process.stderr, { end: false })
  return child
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
