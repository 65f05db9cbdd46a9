// Verdicts that were given lately, at rest: a cache that may be lost at any time. How long one is good is verdict-memory.ts's.
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import * as z from 'zod'
import type { UpdateRow } from '../rpc/shapes.ts'

const contents = z.object({
  version: z.literal(1),
  /** By name and digest. */
  verdicts: z.record(
    z.string(),
    z.object({
      state: z.enum(['current', 'available', 'local']),
      why: z.string().optional(),
      bytes: z.number().optional(),
      at_most: z.boolean().optional(),
      /** Milliseconds since the epoch. */
      checked: z.number(),
    }),
  ),
})

/** By name and digest. */
export type KeptVerdicts = Record<string, UpdateRow & { checked: number }>

export interface VerdictsFile {
  read(): Promise<KeptVerdicts>
  write(verdicts: KeptVerdicts): Promise<void>
}

/** One that is absent, damaged or of another version is an empty one. */
export function verdictsFile(path: () => string): VerdictsFile {
  return {
    read: async () => {
      try {
        // What is absent in JSON is absent, never `undefined`.
        return contents.parse(JSON.parse(await readFile(path(), 'utf8'))).verdicts as KeptVerdicts
      } catch {
        return {}
      }
    },
    write: async (verdicts) => {
      await mkdir(dirname(path()), { recursive: true, mode: 0o700 })
      await writeFileAtomic(path(), JSON.stringify({ version: 1, verdicts }), { mode: 0o600, fsync: false })
    },
  }
}
