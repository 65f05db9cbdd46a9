import { expect, it } from 'vitest'
import { strictConfig } from '../../../../src/tunnel/openssh/strict-config.ts'
import { PARAMETERS } from '../fakes.ts'

const LOOK = '  NoHostAuthenticationForLocalhost no\n  VerifyHostKeyDNS no\n'

it('changes nothing where there is no hop', () => {
  expect(strictConfig([], undefined)).toBeUndefined()
})

it('asks about the hops that would not, before the configuration of the user', () => {
  const gate = { ...PARAMETERS, alias: 'gate', strictHostKeyChecking: 'off' } as const
  const ask = `Match originalhost gate\n${LOOK}  StrictHostKeyChecking ask\nMatch all\n`
  const gpu = `Match originalhost gpu\n${LOOK}`
  expect(strictConfig([PARAMETERS, gate], '/own')).toBe(`${gpu}${ask}  Include "/own"\n`)
  expect(strictConfig([gate], undefined)).toBe(`${ask}  Include "~/.ssh/config"\n  Include "/etc/ssh/ssh_config"\n`)
})
