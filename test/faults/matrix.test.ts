// Every row of the matrix against real programs, one after the other. doc/reliability.md is made of what is written here.
import { expect, test } from 'vitest'
import { sharedSshd } from '../nvim/chat/world.ts'
import { describeWithSshd, neovims } from '../support/real-parts.ts'
import type { Sshd } from '../support/sshd.ts'
import type { Fault, Seen } from './fault.ts'
import { makeNamespace, type Namespace } from './namespace.ts'
import { play } from './play.ts'
import { keepResults } from './results.ts'
import { FAULTS } from './rows/all.ts'

const ROW_TIMEOUT_MS = 300_000

describeWithSshd('the fault matrix', (openssh) => {
  const sshd = sharedSshd(openssh)
  const nvim = neovims().at(-1)?.nvim
  const seen: Seen[] = []

  test.each(FAULTS.map((fault) => [fault.name, fault] as const))(
    '%s',
    async (_, fault) => {
      const { name, how, moment } = fault
      if (!nvim) return
      const missing = await needsOf(fault, sshd())
      if (typeof missing === 'string') {
        process.stderr.write(`NOT RUN HERE: ${name}, because ${missing}\n`)
        seen.push({ name, how, moment, notRun: missing, leaks: [], problems: [] })
        keepResults('matrix', seen)
        return
      }
      const played = await play(fault, { nvim, openssh, sshd: sshd() }, missing.namespace)
      seen.push({ name, how, moment, ...played })
      keepResults('matrix', seen)
      expect(played.problems).toEqual([])
    },
    ROW_TIMEOUT_MS,
  )
})

/** What the row needs and this system does not give, or what it needs. */
async function needsOf({ needs }: Fault, { password }: Sshd): Promise<string | { namespace?: Namespace }> {
  if (needs === 'a password') return password === undefined ? 'no NSS wrapper was found for a user with a password' : {}
  if (needs !== 'a network namespace') return {}
  return makeNamespace().then(
    (namespace) => ({ namespace }),
    (error: Error) => `no network namespace can be made here: ${error.message}`,
  )
}
