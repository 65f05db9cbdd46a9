// What `ssh -vv` says on standard error, line by line, as events. The words are OpenSSH's (7.4 to 10.x), which never
// translates them. What they mean for a person is in openssh-errors.ts.

export type ChatterEvent =
  /** The server has named itself. */
  | { type: 'greeted'; banner: string }
  /** The keys are agreed on and the host is verified: the login begins. */
  | { type: 'logging in' }
  /** What it tries next. */
  | { type: 'trying'; method: string }
  | { type: 'key accepted'; key: string }
  /** Also when the server wants another method besides. */
  | { type: 'logged in'; method: string }
  /** The control socket listens. */
  | { type: 'master'; controlPath: string }
  /** The login is through, and all that was asked for is set up. */
  | { type: 'ready' }
  /** A connection to a forwarded socket came, and leads there; `channel requested` follows with its number. */
  | { type: 'forward used'; to: string }
  | { type: 'channel requested'; channel: number }
  | { type: 'channel opened'; channel: number }
  | { type: 'channel refused'; channel: number; reason: string }
  /** A stream over standard input and output stands, in a master. */
  | { type: 'stream opened' }
  /** Said to the user. */
  | { type: 'words'; text: string }

type Row = readonly [RegExp, (...groups: string[]) => ChatterEvent]

const ROWS: readonly Row[] = [
  [
    /^debug1: Remote protocol version (\S+), remote software version (.+)/,
    (protocol = '', software = '') => ({ type: 'greeted', banner: `SSH-${protocol}-${software}` }),
  ],
  [/^debug1: SSH2_MSG_SERVICE_ACCEPT received/, () => ({ type: 'logging in' })],
  [/^debug1: Next authentication method: (\S+)/, (method = '') => ({ type: 'trying', method })],
  [
    /^debug1: Server accepts key: (.+?) (\S+) (SHA256:\S+)( .*)?$/,
    (path = '', _type, print = '', rest = '') => ({
      type: 'key accepted',
      key: / agent/.test(rest) ? `agent key ${print}` : `key ${path}`,
    }),
  ],
  [
    /^(?:debug1: )?Authenticat(?:ed (?:to .* )?using|ion succeeded) [("]([^)"]+)[)"]/,
    (method = '') => ({ type: 'logged in', method }),
  ],
  [/^debug1: channel \d+: new (?:mux listener )?\[(\/.*)\]/, (controlPath = '') => ({ type: 'master', controlPath })],
  [/^debug1: Entering interactive session/, () => ({ type: 'ready' })],
  [
    /^debug1: Connection to port -2 forwarding to (.*) port (-?\d+) requested/,
    (host = '', port = '') => ({ type: 'forward used', to: forwardName(host, Number(port)) }),
  ],
  [
    /^debug1: channel (\d+): new (?:\S+ )?\[direct-(?:tcpip|streamlocal)/,
    (channel) => ({ type: 'channel requested', channel: Number(channel) }),
  ],
  [/^debug2: channel (\d+): open confirm/, (channel) => ({ type: 'channel opened', channel: Number(channel) })],
  [
    /^channel (\d+): open failed: (.*)/,
    (channel, reason = '') => ({ type: 'channel refused', channel: Number(channel), reason }),
  ],
  [/^debug1: mux_client_request_stdio_fwd: master session id/, () => ({ type: 'stream opened' })],
]

/** What a line says; `undefined` when it says nothing that is of use. */
export function understand(line: string): ChatterEvent | undefined {
  for (const [pattern, event] of ROWS) {
    const found = pattern.exec(line)
    if (found) return event(...found.slice(1))
  }
  // The version of ssh itself is said first.
  return line === '' || /^(debug\d: |OpenSSH_\d)/.test(line) ? undefined : { type: 'words', text: line }
}

/** Where a forward leads, in ssh's words: it cuts names off after 100 characters, and a unix socket has port -2. */
export function forwardName(host: string, port: number): string {
  return `${host.slice(0, 100)} port ${host.startsWith('/') ? -2 : port}`
}
