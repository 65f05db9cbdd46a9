// Faults of the link itself, and of the sshd at its far end, once a connection is up.
import type { Fault } from '../fault.ts'

const LOST = ['SSH_DISCONNECTED'] as const

export const linkFaults: readonly Fault[] = [
  {
    name: 'sshd session killed before the first byte',
    how: 'its processes are killed while the model loads',
    moment: 'before the first byte',
    codes: LOST,
    within: 1,
    strike: ({ sshd }) => sshd.killSessions(),
  },
  {
    name: 'link cut with the first byte',
    how: 'both ends are reset when the first byte of the answer passes',
    moment: 'with the first byte',
    codes: LOST,
    within: 1,
    strike: ({ proxy }) => proxy.after('down', 1, () => proxy.cut()),
  },
  {
    name: 'sshd session killed in mid-answer',
    how: 'its processes are killed after the first words',
    moment: 'in mid-answer',
    codes: LOST,
    within: 1,
    strike: ({ sshd }) => sshd.killSessions(),
  },
  {
    name: 'link reset in mid-answer',
    how: 'RST to both ends',
    moment: 'in mid-answer',
    codes: LOST,
    within: 1,
    strike: ({ proxy }) => proxy.cut('rst'),
  },
  {
    name: 'link closed in mid-answer',
    how: 'FIN to both ends',
    moment: 'in mid-answer',
    codes: LOST,
    within: 1,
    strike: ({ proxy }) => proxy.cut('fin'),
  },
  {
    name: 'half-open connection',
    how: 'FIN from the server, whose other half stays open and unread',
    moment: 'in mid-answer',
    codes: LOST,
    within: 1,
    strike: ({ proxy }) => proxy.halfClose(),
  },
  {
    name: 'link black-holed in mid-answer',
    how: 'nothing passes either way, nothing is closed',
    moment: 'in mid-answer',
    codes: LOST,
    within: 15,
    strike: ({ proxy }) => proxy.set({ dark: 'both' }),
  },
  {
    name: 'uplink black-holed in mid-answer',
    how: 'nothing passes to the server, nothing is closed',
    moment: 'in mid-answer',
    codes: LOST,
    within: 15,
    strike: ({ proxy }) => proxy.set({ dark: 'up' }),
  },
  {
    name: 'downlink black-holed in mid-answer',
    how: 'nothing passes from the server, nothing is closed',
    moment: 'in mid-answer',
    codes: LOST,
    within: 15,
    strike: ({ proxy }) => proxy.set({ dark: 'down' }),
  },
  {
    name: 'link stands still for 3 s in mid-answer',
    how: 'nothing passes either way, then all of it',
    moment: 'in mid-answer',
    codes: [],
    within: 15,
    strike: async ({ proxy, world }) => {
      proxy.set({ dark: 'both' })
      world.step(3)
      await new Promise((resolve) => setTimeout(resolve, 3_000))
      proxy.set({ dark: 'no' })
    },
  },
  {
    name: 'link black-holed while idle',
    how: 'nothing passes either way, new connections included, until the mend',
    moment: 'idle, then a prompt',
    codes: ['SSH_DISCONNECTED', 'SSH_CONNECTION_TIMEOUT'],
    within: 15,
    strike: ({ proxy }) => proxy.set({ dark: 'both' }),
  },
  {
    name: 'link forgotten while idle',
    how: 'nothing passes on the old connection, new ones pass: a router was restarted',
    moment: 'idle, then a prompt',
    codes: LOST,
    within: 15,
    strike: ({ proxy }) => proxy.abandon(),
  },
  {
    name: 'sshd restarted under an idle link',
    how: 'all its processes are killed, and it listens again',
    moment: 'idle, then a prompt',
    codes: [],
    within: 3,
    strike: ({ sshd }) => sshd.restart(),
  },
  {
    name: 'sshd gone under an idle link',
    how: 'the link is cut, and nothing listens until the mend',
    moment: 'idle, then a prompt',
    codes: ['SSH_UNREACHABLE', 'SSH_DISCONNECTED'],
    within: 3,
    strike: async ({ proxy }) => {
      await proxy.refuse()
      proxy.cut()
    },
  },
  {
    name: 'link slow and lossy',
    how: '400 ms round trip, 20 kB/s, every tenth packet is late by 300 ms',
    moment: 'first prompt',
    codes: [],
    within: 15,
    strike: ({ proxy }) => proxy.set({ oneWayMs: 200, bytesPerSecond: 20_000, stalls: { chance: 0.1, ms: 300 } }),
  },
  {
    name: 'link lossy in mid-answer',
    how: 'every third packet of the rest is late by 500 ms',
    moment: 'in mid-answer',
    codes: [],
    within: 15,
    strike: ({ proxy, world }) => {
      proxy.set({ stalls: { chance: 0.3, ms: 500 } })
      world.step(3)
    },
  },
]
