import { describe, expect, it } from 'vitest'
import { ChannelWatch } from '../../../../src/tunnel/openssh/channel-watch.ts'
import { forwardName, understand } from '../../../../src/tunnel/openssh/chatter.ts'

/** Said by OpenSSH 9.2, and where it differs by 7.4. */
const LINES: [string, unknown][] = [
  [
    'debug1: Remote protocol version 2.0, remote software version OpenSSH_10.0p2 Debian-7',
    { type: 'greeted', banner: 'SSH-2.0-OpenSSH_10.0p2 Debian-7' },
  ],
  ['debug1: SSH2_MSG_SERVICE_ACCEPT received', { type: 'logging in' }],
  [
    'debug1: Server accepts key: /home/bob/my keys/id ED25519 SHA256:aTT explicit',
    { type: 'key accepted', key: 'key /home/bob/my keys/id' },
  ],
  [
    'debug1: Server accepts key: /home/bob/.ssh/id ED25519 SHA256:aTT explicit agent',
    { type: 'key accepted', key: 'agent key SHA256:aTT' },
  ],
  ['Authenticated to gpu ([10.0.0.1]:22) using "publickey".', { type: 'logged in', method: 'publickey' }],
  ['Authenticated using "publickey" with partial success.', { type: 'logged in', method: 'publickey' }],
  ['debug1: Authentication succeeded (password).', { type: 'logged in', method: 'password' }],
  ['debug1: channel 0: new mux listener [/run/x/c] (inactive timeout: 0)', { type: 'master', controlPath: '/run/x/c' }],
  ['debug1: channel 0: new [/run/x/c]', { type: 'master', controlPath: '/run/x/c' }],
  [
    'debug1: Connection to port -2 forwarding to 127.0.0.1 port 80 requested.',
    { type: 'forward used', to: '127.0.0.1 port 80' },
  ],
  [
    'debug1: Connection to port -2 forwarding to /run/o.sock port -2 requested.',
    { type: 'forward used', to: '/run/o.sock port -2' },
  ],
  [
    'debug1: channel 3: new direct-tcpip [direct-tcpip] (inactive timeout: 0)',
    { type: 'channel requested', channel: 3 },
  ],
  ['debug1: channel 3: new [direct-tcpip]', { type: 'channel requested', channel: 3 }],
  ['debug2: channel 3: open confirm rwindow 2097152 rmax 32768', { type: 'channel opened', channel: 3 }],
  [
    'channel 3: open failed: connect failed: Connection refused',
    { type: 'channel refused', channel: 3, reason: 'connect failed: Connection refused' },
  ],
  ['bob@gpu: Permission denied (publickey).', { type: 'words', text: 'bob@gpu: Permission denied (publickey).' }],
  ['debug2: channel 3: rcvd eof', undefined],
  ['OpenSSH_9.2p1 Debian-2+deb12u6, OpenSSL 3.0.19 27 Jan 2026', undefined],
  ['', undefined],
]

describe('what ssh says', () => {
  it.each(LINES)('%s', (line, event) => {
    expect(understand(line)).toEqual(event)
  })

  it('cuts long names off', () => {
    expect(forwardName('h'.repeat(120), 80)).toBe(`${'h'.repeat(100)} port 80`)
  })
})

describe('the watch over channels', () => {
  const A = { host: 'a', port: 1 }
  const B = { host: '/b', port: 0 }
  function use(watch: ChannelWatch, target: typeof A, channel: number) {
    watch.take({ type: 'forward used', to: forwardName(target.host, target.port) })
    watch.take({ type: 'channel requested', channel })
  }

  it('gives each connection its own outcome, in whatever order they come', async () => {
    const watch = new ChannelWatch()
    const [first, second, other] = [watch.expect(A), watch.expect(A), watch.expect(B)]
    use(watch, B, 7)
    use(watch, A, 5)
    use(watch, A, 6)
    watch.take({ type: 'channel refused', channel: 6, reason: 'no' })
    watch.take({ type: 'channel opened', channel: 7 })
    watch.take({ type: 'channel opened', channel: 5 })
    expect(await Promise.all([first.outcome, second.outcome, other.outcome])).toEqual([undefined, 'no', undefined])
  })

  it('passes over connections that were never made, and channels that nobody asked for', async () => {
    const watch = new ChannelWatch()
    watch.expect(A).forget()
    const kept = watch.expect(A)
    watch.take({ type: 'channel requested', channel: 4 })
    watch.take({ type: 'channel refused', channel: 4, reason: 'of somebody else' })
    use(watch, A, 5)
    watch.take({ type: 'channel opened', channel: 5 })
    expect(await kept.outcome).toBeUndefined()
  })
})
