import { expect, it } from 'vitest'
import { troubleOf } from '../../../../src/chat/journal/trouble.ts'

it('says what is wrong and what becomes of the chat', () => {
  const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })
  expect(troubleOf(full, '/data/journal')).toMatch(
    /goes on, but is not .* \/data\/journal: the disk is full\. It will be/,
  )
  expect(troubleOf(new Error('odd'), '/data/journal')).toContain(': odd.')
})
