// A command on the server whose whole output is wanted. Which commands are run is not known here; one that carries a stream is
// exec-channel.ts's.
import { PluginError } from '../../core/errors.ts'
import type { Place } from '../ssh-errors.ts'
import type { CommandResult } from '../transport.ts'
import type { ExecClient, RawExecChannel } from './exec-channel.ts'

/** More than any command of ours prints. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024

/** @throws PluginError SSH_CHANNEL_ERROR; the signal's reason when aborted. */
export async function runCommand(
  client: ExecClient,
  command: string,
  place: Place,
  signal: AbortSignal,
): Promise<CommandResult> {
  signal.throwIfAborted()
  const over = new AbortController()
  try {
    return await new Promise<CommandResult>((resolve, reject) => {
      // The channel may never come.
      signal.addEventListener('abort', () => reject(signal.reason), { signal: over.signal })
      client.exec(command, (error, channel) => {
        if (error) return reject(notRun(place, error.message, error))
        signal.addEventListener('abort', () => channel.close(), { signal: over.signal })
        collect(channel, place).then(resolve, reject)
        if (signal.aborted) channel.close()
      })
    })
  } catch (error) {
    if (error === signal.reason || error instanceof PluginError) throw error
    throw notRun(place, String(error), error)
  } finally {
    over.abort()
  }
}

function collect(channel: RawExecChannel, place: Place): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    let code: number | null = null
    channel.on('data', (chunk) => {
      size += chunk.length
      if (size <= MAX_OUTPUT_BYTES) chunks.push(chunk)
      else channel.close()
    })
    // Unread, it would keep the channel open.
    channel.stderr.on('data', () => {})
    channel.on('exit', (exit) => {
      code = exit
    })
    channel.on('error', (error) => reject(notRun(place, error.message, error)))
    channel.on('close', () => {
      if (size > MAX_OUTPUT_BYTES) reject(notRun(place, 'it printed too much', undefined))
      else resolve({ code, output: Buffer.concat(chunks) })
    })
    // A forced command may run in its place, and wait for input.
    channel.end()
  })
}

function notRun({ alias }: Place, words: string, cause: unknown): PluginError {
  return new PluginError('SSH_CHANNEL_ERROR', `${alias} did not run a command: ${words}`, {
    hint: 'The account there may be for forwarding only.',
    cause,
  })
}
