import { describe, expect, it } from 'vitest'
import { understandQuestion } from '../../../../src/tunnel/openssh/askpass-question.ts'
import { PARAMETERS } from '../fakes.ts'

const ask = (prompt: string, hint = '', more = {}) => understandQuestion(prompt, hint, { ...PARAMETERS, ...more })
const LONG = `/home/bob/${'x'.repeat(120)}`

describe('a question of ssh', () => {
  it('about an unknown host key shows its fingerprint', () => {
    const prompt = [
      "The authenticity of host 'gpu.example.com (10.0.0.1)' can't be established.",
      'ED25519 key fingerprint is SHA256:E+SL7aVGx.',
      'This key is not known by any other names.',
      'Are you sure you want to continue connecting (yes/no/[fingerprint])? ',
    ].join('\n')
    expect(ask(prompt)).toEqual({
      kind: 'host key',
      title: "The authenticity of host 'gpu.example.com (10.0.0.1)' can't be established.",
      detail: 'ED25519 key fingerprint is SHA256:E+SL7aVGx.\nThis key is not known by any other names.',
    })
  })

  it.each([
    ["Enter passphrase for key '/home/bob/.ssh/id': ", '/home/bob/.ssh/id'],
    [`Enter passphrase for key '${LONG.slice(0, 100)}': `, LONG],
  ])('for a passphrase names the key: %s', (prompt, path) => {
    const identityFiles = ['/home/bob/.ssh/id', LONG]
    expect(ask(prompt, '', { identityFiles })).toEqual({
      kind: 'secret',
      title: `Passphrase of ${path}`,
      detail: 'To log in as bob@gpu.example.com:22',
      name: `passphrase of ${path}`,
    })
  })

  it.each(["bob@gpu.example.com's password: ", '(bob@gpu.example.com) Password: '])(
    'for the password: %s',
    (prompt) => {
      expect(ask(prompt)).toMatchObject({ kind: 'secret', name: 'password of bob@gpu.example.com:22' })
    },
  )

  it("for a hop's password is not taken for the target's", () => {
    expect(ask("bob@gate's password: ")).toEqual({
      kind: 'secret',
      title: 'Password of bob@gate',
      detail: 'To log in as bob@gate',
      name: undefined,
    })
  })

  it.each(['(bob@gpu.example.com) Verification code: ', "Enter PIN for 'token': ", 'One-time password: '])(
    'for something that is worth nothing the next time is not kept: %s',
    (prompt) => {
      expect(ask(prompt)).toMatchObject({ kind: 'secret', name: undefined, title: prompt.trim().replace(/:$/, '') })
    },
  )

  it('to touch a token needs no answer', () => {
    expect(ask('Confirm user presence for key ED25519-SK SHA256:abc', 'none')).toEqual({
      kind: 'notice',
      text: 'Confirm user presence for key ED25519-SK SHA256:abc',
    })
  })

  it('to be allowed or not is no secret', () => {
    expect(ask('Add key /k (bob) to agent?', 'confirm')).toMatchObject({ kind: 'confirm' })
    expect(ask('Accept updated hostkeys? (yes/no): ')).toMatchObject({
      kind: 'confirm',
      title: 'Accept updated hostkeys?',
    })
  })

  it('cannot move a cursor', () => {
    expect(ask('(bob@gpu.example.com) \u001b[2JCode\u0007: ')).toMatchObject({
      title: '(bob@gpu.example.com)  [2JCode',
    })
    expect(ask('')).toMatchObject({ kind: 'secret', title: 'ssh asks something' })
  })
})
