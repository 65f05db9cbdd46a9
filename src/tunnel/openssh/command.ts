// A command on the server through an ssh program, whose whole output is wanted. Which commands are run is not known here.
import { PluginError } from '../../core/errors.ts'
import type { CommandResult } from '../transport.ts'
import { startPiped } from './process.ts'

/** More than any command of ours prints. */
const MAX_OUTPUT_BYTES = 8 * 1024 * 1024

/** @throws PluginError SSH_CHANNEL_ERROR; the signal's reason when aborted. */
export async function runPiped(words: readonly string[], signal: AbortSignal): Promise<CommandResult> {
  let said = ''
  const process = startPiped(words, {
    onLine: (line) => {
      said = line
    },
  })
  const end = () => process.end()
  signal.addEventListener('abort', end, { once: true })
  try {
    process.input.end()
    const chunks: Uint8Array[] = []
    let size = 0
    for await (const chunk of process.output) {
      size += chunk.length
      if (size > MAX_OUTPUT_BYTES) throw notRun('it printed too much')
      chunks.push(chunk)
    }
    const ending = await process.ended
    signal.throwIfAborted()
    if (ending === 'missing' || ending.code === SSH_FAILED) throw notRun(said)
    return { code: ending.code, output: Buffer.concat(chunks) }
  } finally {
    signal.removeEventListener('abort', end)
    process.end()
  }
}

/** What ssh itself ends with when it could not run the command. */
const SSH_FAILED = 255

function notRun(words: string): PluginError {
  return new PluginError('SSH_CHANNEL_ERROR', `ssh did not run a command there: ${words}`, {
    hint: 'The account there may be for forwarding only.',
  })
}
