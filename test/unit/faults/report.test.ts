import { describe, expect, it } from 'vitest'
import type { Seen } from '../../faults/fault.ts'
import { judge } from '../../faults/kill-judge.ts'
import { Random } from '../../faults/random.ts'
import { cutsTable, killsTable, matrixTable, time } from '../../faults/report.ts'
import { FAULTS } from '../../faults/rows/all.ts'
import { steady } from '../../faults/words.ts'

const SEEN: Seen = {
  name: 'link reset',
  how: 'RST',
  moment: 'in mid-answer',
  knownMs: 42,
  code: 'SSH_DISCONNECTED',
  read: 'It was lost | <gone>',
  left: 'the text so far',
  byItself: 'nothing',
  nextPrompt: 'answered',
  leaks: [],
  problems: [],
}

describe('the report of faults', () => {
  it('rounds times so that they stay', () => {
    expect([0, 99, 299, 999, 1_000, 14_600].map(time)).toEqual([
      '< 0.1 s',
      '< 0.1 s',
      '< 0.3 s',
      '< 1 s',
      '1 s',
      '15 s',
    ])
  })

  it('tells a row in Markdown that nothing in it can break', () => {
    expect(matrixTable([SEEN]).split('\n')[2]).toBe(
      '| link reset | RST | in mid-answer | &lt; 0.1 s | `SSH_DISCONNECTED` It was lost \\| &lt;gone> | the text so far | nothing | answered |',
    )
  })

  it('hides neither a problem nor a row that was not run', () => {
    expect(matrixTable([{ ...SEEN, problems: ['the text so far is lost'] }])).toContain('**Not as it must be: the text')
    expect(matrixTable([{ ...SEEN, notRun: 'it needs root' }])).toContain('| not run here | it needs root |')
  })

  it('takes out of what is read whatever differs from run to run', () => {
    expect(steady('127.0.0.1:4711 (/tmp/a-b/c/known_hosts:1) SHA256:ab+/c\nport 30123')).toBe(
      '127.0.0.1:PORT (…/known_hosts:1) SHA256:… port PORT',
    )
  })

  it('tells what is left behind by cuts', () => {
    const seen = { name: 'x', seed: 1, cuts: 3, answers: 2, equal: 1, marked: 1, wrong: [], leaks: ['1 channel'] }
    expect(cutsTable([seen])).toContain('| x | 3 | 2 | 1 | 1 | 0 | **1 channel** |')
  })

  it('has rows enough, each of its own name', () => {
    expect(FAULTS.length).toBeGreaterThanOrEqual(30)
    expect(new Set(FAULTS.map(({ name }) => name)).size).toBe(FAULTS.length)
  })

  it('draws the same numbers for the same seed', () => {
    const draw = (seed: number) => Array.from({ length: 5 }, new Random(seed).next)
    expect(draw(7)).toEqual(draw(7))
    expect(draw(7)).not.toEqual(draw(8))
  })
})

describe('the kills', () => {
  const asked = '## ◆ You · 2026-11-20 14:02:31\n\nq0x1\n\n'
  const sight = {
    at: 100,
    transcript: `${asked}## ◆ s:m · 2026-11-20 14:02:31\n\nw0x2 w0x3`,
    prompt: 'd0x4',
    aside: '',
    queue: ['q0x5'],
  }
  const turns = [
    { role: 'user', text: 'q0x1' },
    { role: 'assistant', text: 'w0x2 w0x3 ' },
  ] as const

  it('may cost nothing that was seen a second before', () => {
    const held = (kept: Parameters<typeof judge>[0]['kept'], at = 1_200) => judge({ sights: [sight], at, kept })
    expect(held({ turns, prompt: 'q0x5\n\nd0x4' })).toEqual({ lostMs: 0 })
    expect(held({ turns: [...turns, { role: 'user' as const, text: 'q0x5' }], prompt: 'd0x4' })).toEqual({ lostMs: 0 })
    expect(held({ turns, prompt: 'd0x4' }).wrong).toContain('q0x5')
    expect(held({ turns: turns.slice(0, 1), prompt: 'q0x5\n\nd0x4' })).toMatchObject({
      lostMs: 1_100,
      wrong: expect.stringContaining('w0x3'),
    })
    expect(held({ turns: [], prompt: '' }, 900)).toMatchObject({ lostMs: 800, lost: expect.stringContaining('q0x1') })
    expect(held({ turns: [...turns, { role: 'user' as const, text: 'q0x5' }], prompt: 'q0x5 d0x4' }).wrong).toContain(
      'twice',
    )
  })

  it('are one row for each victim, with and without autosave', () => {
    const seen = {
      victim: 'Neovim' as const,
      isSaved: true,
      kills: 9,
      some: 3,
      mostMs: 420,
      lateMs: 42,
      lost: '',
      wrong: ['x'],
    }
    expect(killsTable([seen])).toContain('| Neovim | on | 9 | 6 | 2 | 0.5 s | 0.05 s | **1** |')
  })
})
