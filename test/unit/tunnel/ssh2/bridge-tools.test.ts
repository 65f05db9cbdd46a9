import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bridgeCommand, toolFrom } from '../../../../src/tunnel/ssh2/bridge-tools.ts'
import { needsNudge } from '../../../../src/tunnel/ssh2/nudge.ts'

describe('the program of a bridge', () => {
  it.each([
    ['ollama-remote-has:nc\nollama-remote-has:curl\n', 'nc'],
    ['Welcome to gpu!\r\nollama-remote-has:curl\r\n', 'curl'],
    ['nc\nsocat\n', undefined],
    ['', undefined],
  ])('is read from %j', (printed, tool) => {
    expect(toolFrom(printed)).toBe(tool)
  })

  it.each([
    ['nc', 'localhost', "nc 'localhost' 1"],
    ['nc', '[::1]', "nc '::1' 1"],
    ['socat', 'a-b.example', "socat - 'TCP:a-b.example:1'"],
    ['socat', '::1', "socat - 'TCP:[::1]:1'"],
    ['curl', '10.0.0.1', "curl -q -sSN --noproxy '*' 'telnet://10.0.0.1:1'"],
  ] as const)('%s is told of %s by %s', (tool, host, command) => {
    expect(bridgeCommand(tool, host, 1)).toBe(command)
  })

  it('is never told anything that a shell could take for more than a name', () => {
    const made = (host: string) => {
      try {
        return bridgeCommand('nc', host, 1)
      } catch {
        return undefined
      }
    }
    fc.assert(fc.property(fc.string(), (host) => /^nc '[\w.:][\w.:-]*' 1$/.test(made(host) ?? "nc 'x' 1")))
    for (const host of ["a'b", '-e', 'a b', 'a\n', '$(x)', 'a;b', '']) expect(made(host)).toBeUndefined()
  })
})

describe('an sshd that holds small packets back', () => {
  it.each([
    ['SSH-2.0-OpenSSH_9.2p1 Debian-2', true],
    ['SSH-2.0-OpenSSH_10.0', true],
    ['SSH-2.0-OpenSSH_10.1', false],
    ['SSH-2.0-OpenSSH_11.0', false],
    ['SSH-2.0-OpenSSH_for_Windows_9.5', false],
    ['SSH-2.0-dropbear_2022.83', false],
    ['', false],
  ])('is known by its banner %s: %s', (banner, expected) => {
    expect(needsNudge(banner)).toBe(expected)
  })
})
