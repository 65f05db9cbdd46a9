// A fast sample of the fault matrix; `make faults` plays all of it.
import { expect, test } from 'vitest'
import type { Fault } from '../../faults/fault.ts'
import { play } from '../../faults/play.ts'
import { FAULTS } from '../../faults/rows/all.ts'
import { describeWithSshd, neovims } from '../../support/real-parts.ts'
import { sharedSshd } from '../chat/world.ts'

const SAMPLE = [
  'connection refused',
  'sshd session killed before the first byte',
  'link reset in mid-answer',
  'half-open connection',
  'sshd restarted under an idle link',
  'Ollama killed in mid-answer',
]

describeWithSshd('a sample of the fault matrix', (openssh) => {
  const sshd = sharedSshd(openssh)

  test.each(SAMPLE)('%s', async (name) => {
    const nvim = neovims().at(-1)?.nvim
    if (!nvim) return
    const fault = FAULTS.find((row) => row.name === name) as Fault
    const { problems } = await play(fault, { nvim, openssh, sshd: sshd() })
    expect(problems).toEqual([])
  })
})
