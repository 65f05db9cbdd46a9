import { expect, it } from 'vitest'
import { strictConfig } from '../../../../src/tunnel/openssh/strict-config.ts'
import { PARAMETERS } from '../fakes.ts'

it('changes nothing where every hop asks', () => {
  expect(strictConfig([PARAMETERS, { ...PARAMETERS, strictHostKeyChecking: 'yes' }], undefined)).toBeUndefined()
})

it('asks about the hops that would not, before the configuration of the user', () => {
  const gate = { ...PARAMETERS, alias: 'gate', strictHostKeyChecking: 'off' } as const
  const ask = 'Match originalhost gate\n  StrictHostKeyChecking ask\nMatch all\n'
  expect(strictConfig([PARAMETERS, gate], '/own')).toBe(`${ask}  Include "/own"\n`)
  expect(strictConfig([gate], undefined)).toBe(`${ask}  Include "~/.ssh/config"\n  Include "/etc/ssh/ssh_config"\n`)
})
