// A word to servers that hold small packets back: sshd before 10.1 leaves Nagle's algorithm on until a session channel
// runs something, so a streamed answer comes in bunches, one in each round trip.
import type { ExecClient } from './exec-channel.ts'

/** Whether a server that names itself so is in need of it. */
export function needsNudge(banner: string): boolean {
  const [, major, minor] = /^SSH-2\.0-OpenSSH_(\d+)\.(\d+)/.exec(banner) ?? []
  if (major === undefined) return false
  return Number(major) < 10 || (Number(major) === 10 && Number(minor) < 1)
}

/** Runs `true` there. Resolves when it is over, whatever became of it; nobody need wait. */
export function nudge(client: ExecClient): Promise<void> {
  return new Promise((resolve) => {
    try {
      client.exec('true', (error, channel) => {
        if (error) return resolve()
        channel.on('error', () => resolve())
        channel.on('close', () => resolve())
        // A forced command may run in its place, and wait for input.
        channel.end()
        channel.stderr.on('data', () => {})
        channel.resume()
      })
    } catch {
      resolve()
    }
  })
}
