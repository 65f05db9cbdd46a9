// Faults on the way to a server that was never reached yet, up to its host key.
import { connect } from 'node:net'
import { onTestFinished } from 'vitest'
import type { Fault } from '../fault.ts'
import { startFullBacklog } from '../full-backlog.ts'
import { besideAnother, turnToAnother } from './another-server.ts'

const DARK = { dark: 'both' } as const
const EARLY = ['SSH_DROPPED_EARLY'] as const
const LATE = ['SSH_CONNECTION_TIMEOUT'] as const
/** Within the server's words before encryption: its name has passed, its half of the key exchange has not. */
const BYTES_OF_GREETING = 60
const BYTES_OF_KEY_EXCHANGE = 600

export const reachingFaults: readonly Fault[] = [
  {
    name: 'connection refused',
    how: 'nothing listens on the port',
    moment: 'first prompt',
    codes: ['SSH_UNREACHABLE'],
    within: 3,
    strike: ({ proxy }) => proxy.refuse(),
  },
  {
    name: 'host name that does not exist',
    how: 'a name under `.invalid`',
    moment: 'first prompt',
    codes: ['SSH_HOST_NOT_FOUND'],
    within: 15,
    world: (stage) => besideAnother(stage, { ssh: { host: 'no-such-host.invalid', port: 22 } }),
    strike: () => {},
    mend: turnToAnother,
  },
  {
    name: 'packets to the host vanish',
    how: 'a listener whose queue is full: the kernel drops each SYN',
    moment: 'first prompt',
    codes: LATE,
    within: 30,
    world: async (stage) => {
      const { port } = await startFullBacklog()
      return besideAnother(stage, { ssh: { host: '127.0.0.1', port } })
    },
    strike: () => {},
    mend: turnToAnother,
  },
  {
    name: 'server that says nothing',
    how: 'it accepts, and no byte comes',
    moment: 'first prompt',
    codes: LATE,
    within: 30,
    strike: ({ proxy }) => {
      proxy.door = 'mute'
    },
  },
  {
    name: 'something else than SSH on the port',
    how: 'it answers as a web server does',
    moment: 'first prompt',
    codes: EARLY,
    within: 3,
    strike: ({ proxy }) => {
      proxy.door = { says: 'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n' }
    },
  },
  {
    name: 'server that hangs up at once',
    how: 'each connection is closed without a word',
    moment: 'first prompt',
    codes: EARLY,
    within: 3,
    strike: ({ proxy }) => {
      proxy.door = 'ended'
    },
  },
  {
    name: 'sshd that is too busy',
    how: '`MaxStartups 1`, and somebody else is logging in',
    moment: 'first prompt',
    codes: EARLY,
    within: 3,
    sshd: ['MaxStartups 1:100:1'],
    strike: async ({ sshd }) => {
      const other = connect({ port: sshd.port, host: sshd.host })
      onTestFinished(() => void other.destroy())
      await new Promise((resolve) => other.once('data', resolve))
    },
    mend: ({ sshd }) => sshd.restart({ config: [] }),
  },
  {
    name: 'link cut in the key exchange',
    how: `both ends are reset after ${BYTES_OF_KEY_EXCHANGE} bytes of the server`,
    moment: 'first prompt',
    codes: ['SSH_DROPPED_EARLY', 'SSH_DISCONNECTED'],
    within: 3,
    strike: ({ proxy }) => proxy.after('down', BYTES_OF_KEY_EXCHANGE, () => proxy.cut()),
  },
  {
    name: 'link black-holed in the key exchange',
    how: `nothing passes any more after ${BYTES_OF_GREETING} bytes of the server`,
    moment: 'first prompt',
    codes: LATE,
    within: 15,
    strike: ({ proxy }) => proxy.after('down', BYTES_OF_GREETING, () => proxy.set(DARK)),
  },
  {
    name: 'host key that has changed',
    how: 'the sshd has new keys, known_hosts the old one',
    moment: 'first prompt',
    codes: ['SSH_HOST_KEY_CHANGED'],
    within: 3,
    strike: ({ sshd }) => sshd.restart({ newHostKey: true }),
    mend: (stage) => stage.trust(),
  },
  {
    name: 'host key that is revoked',
    how: '`@revoked` before it in known_hosts',
    moment: 'first prompt',
    codes: ['SSH_HOST_KEY_REVOKED'],
    within: 3,
    world: (stage) => ({ knownHosts: `@revoked ${stage.knownHostsLine()}\n` }),
    strike: () => {},
    mend: (stage) => stage.trust(),
  },
  {
    name: 'unknown host key, not trusted',
    how: 'known_hosts is empty, and the question is answered by <Esc>',
    moment: 'first prompt',
    codes: ['SSH_HOST_KEY_UNKNOWN'],
    within: 1,
    world: () => ({ knownHosts: '' }),
    strike: () => {},
    gestures: async ({ world }) => {
      await world.nvim.waitForScreen(/Yes, trust it and remember it/)
      await world.nvim.type('<Esc>')
    },
    mend: (stage) => stage.trust(),
  },
]
