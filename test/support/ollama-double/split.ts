/** Cuts the byte stream of an answer at hostile places; knows nothing of HTTP or of JSON. */

import type { SplitMode } from './behaviour.ts'

export interface Splitter {
  /** The chunks that may be written now, in order; the rest is kept. */
  push(bytes: Buffer): Buffer[]
  /** What was kept. */
  flush(): Buffer[]
}

const LINES_TOGETHER = 5
const NEWLINE = 0x0a
const BACKSLASH = 0x5c
const LETTER_U = 0x75

export function createSplitter(mode: SplitMode): Splitter {
  if (mode === 'line') return { push: (bytes) => [bytes], flush: () => [] }
  if (mode === 'one-byte') return fixedSize(1)
  if (mode === 'many-lines') return keeping(afterSeveralLines)
  if (mode === 'mid-utf8') return { push: (bytes) => cutAt(bytes, insideCharacters(bytes)), flush: () => [] }
  return fixedSize(mode)
}

function fixedSize(size: number): Splitter {
  return keeping((bytes) => {
    const cuts: number[] = []
    for (let end = size; end <= bytes.length; end += size) cuts.push(end)
    return cuts
  })
}

/** Emits up to the last cut that `cutsIn` finds and keeps what follows it for the next push. */
function keeping(cutsIn: (bytes: Buffer) => readonly number[]): Splitter {
  let kept: Buffer = Buffer.alloc(0)
  return {
    push(bytes) {
      const all = kept.length === 0 ? bytes : Buffer.concat([kept, bytes])
      const cuts = cutsIn(all)
      const end = cuts.at(-1) ?? 0
      kept = all.subarray(end)
      return cutAt(all.subarray(0, end), cuts)
    },
    flush() {
      const rest = kept
      kept = Buffer.alloc(0)
      return rest.length === 0 ? [] : [rest]
    },
  }
}

function cutAt(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const chunks: Buffer[] = []
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    if (cut > from) chunks.push(bytes.subarray(from, cut))
    from = cut
  }
  return chunks
}

function afterSeveralLines(bytes: Buffer): number[] {
  const cuts: number[] = []
  let seen = 0
  for (let at = bytes.indexOf(NEWLINE); at !== -1; at = bytes.indexOf(NEWLINE, at + 1)) {
    seen += 1
    if (seen % LINES_TOGETHER === 0) cuts.push(at + 1)
  }
  return cuts
}

/** After the first byte of every multi-byte character, and after the `\u` of every escape. */
function insideCharacters(bytes: Buffer): number[] {
  const cuts: number[] = []
  for (let at = 0; at < bytes.length; at += 1) {
    const byte = bytes[at] ?? 0
    if (byte >= 0xc0) cuts.push(at + 1)
    if (byte === LETTER_U && bytes[at - 1] === BACKSLASH) cuts.push(at + 1)
  }
  return cuts
}
