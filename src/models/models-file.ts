// What is kept at rest of servers' models: a cache that may be lost at any time. What it means is memory.ts's.
import { mkdir, readFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import writeFileAtomic from 'write-file-atomic'
import * as z from 'zod'

const strings = z.array(z.string()).optional()
const count = z.number().optional()

const contents = z.object({
  version: z.literal(1),
  /** By digest; `seen` is when it was last in a list, in milliseconds since the epoch. */
  facts: z.record(
    z.string(),
    z.object({ capabilities: strings, trainedContext: count, context: count, seen: z.number() }),
  ),
  /** The lists as they were last read, by server. */
  servers: z.record(
    z.string(),
    z.object({
      read: z.number(),
      models: z.array(
        z.object({
          name: z.string(),
          size: count,
          parameters: z.string().optional(),
          quantization: z.string().optional(),
          family: z.string().optional(),
          digest: z.string().optional(),
          capabilities: strings,
          modified: count,
        }),
      ),
    }),
  ),
})

export type KeptModels = z.output<typeof contents>

export interface ModelsFile {
  read(): Promise<KeptModels>
  write(kept: KeptModels): Promise<void>
}

export function emptyModels(): KeptModels {
  return { version: 1, facts: {}, servers: {} }
}

/** One that is absent, damaged or of another version is an empty one: all of it can be asked for again. */
export function modelsFile(path: () => string): ModelsFile {
  return {
    read: async () => {
      const text = await readFile(path(), 'utf8').catch(() => '')
      try {
        return contents.parse(JSON.parse(text))
      } catch {
        return emptyModels()
      }
    },
    write: async (kept) => {
      await mkdir(dirname(path()), { recursive: true, mode: 0o700 })
      await writeFileAtomic(path(), JSON.stringify(kept), { mode: 0o600, fsync: false })
    },
  }
}
