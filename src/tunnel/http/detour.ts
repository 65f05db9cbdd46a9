// Where tests have the web end: other addresses for hosts of the web, and who vouches for them. The environment variable that
// says so is set by tests and by bench alone (doc/architecture.md).
import * as z from 'zod'
import type { Detour } from './web.ts'

const detourSchema = z.object({
  /** By `host:port`. */
  places: z.record(z.string(), z.object({ host: z.string(), port: z.number() })),
  /** Certificates in PEM. */
  authorities: z.array(z.string()),
})

/** @throws what JSON and zod throw: a test that cannot be understood shall not reach the real web. */
export function detourFrom(text: string | undefined): Detour | undefined {
  return text === undefined || text === '' ? undefined : detourSchema.parse(JSON.parse(text))
}
