// A read-only look at the service of Ollama on a server's machine, by one fixed command over its SSH connection, and what it
// means. That a person has agreed to it, and how it is shown, is Lua's. Nothing there is ever started or changed.
import type { Clock } from '../core/clock.ts'
import { PluginError } from '../core/errors.ts'
import type { Results } from '../rpc/protocol.ts'
import type { Server } from '../tunnel/server.ts'

export type ServiceLook = Results['service.look']

const LOOK_MS = 10_000
const MOST_LINES = 40
const MOST_CHARACTERS = 300

/** A server may greet on stdout; its words shall not pass for the service's. */
const MARK = 'ollama-remote-service'

/** For any login shell: no quote, line break, `!` or backslash is in it. */
const SCRIPT = [
  's=$(systemctl is-active ollama 2>/dev/null)',
  // Where systemd does not run, it says nothing, also where its programs are.
  `if [ -n "$s" ]; then echo ${MARK} $s`,
  `systemctl status ollama --no-pager -n 5; else echo ${MARK} processes`,
  'pgrep -a ollama; fi',
].join('; ')

/** @throws PluginError SSH_*; SSH_UNSUPPORTED where no command can be run; SSH_CHANNEL_ERROR when it did not end */
export async function lookAtService(server: Pick<Server, 'config' | 'run'>, clock: Clock): Promise<ServiceLook> {
  const late = new AbortController()
  const done = new AbortController()
  const { name, url } = server.config
  clock.sleep(LOOK_MS, done.signal).then(
    () =>
      late.abort(new PluginError('SSH_CHANNEL_ERROR', `${name} said nothing of its service in ${LOOK_MS / 1000} s`)),
    () => {},
  )
  try {
    const { output } = await server.run(`sh -c '${SCRIPT}' 2>&1`, late.signal)
    return readLook(Buffer.from(output).toString('utf8'), url.host || url.pathname)
  } finally {
    done.abort()
  }
}

/** What was printed, without what could move a terminal's cursor, and what it means for an Ollama at this address. */
export function readLook(printed: string, address: string): ServiceLook {
  const found = new RegExp(`${MARK} ?(\\S*)[^\\n]*\\n?`).exec(printed)
  const lines = printed
    .slice(found ? found.index + found[0].length : 0)
    .split('\n')
    .map(plain)
    .filter((line) => line !== '')
    .slice(0, MOST_LINES)
  return { lines, advice: adviceOf(found?.[1] ?? '', lines, address) }
}

function adviceOf(state: string, lines: readonly string[], address: string): string[] {
  const runs = [
    `Ollama runs there. If nothing answers at ${address}, it listens elsewhere:`,
    'see OLLAMA_HOST in its environment, and the url of this server in :Ollama servers.',
  ]
  if (state === 'processes')
    return lines.length > 0 ? runs : ['No Ollama runs there. Start it on the server: ollama serve']
  if (state === 'active') return runs
  if (state === 'activating') return ['The service is just starting: try again in a moment.']
  if (lines.some((line) => /could not be found|not-found/.test(line))) {
    return ['Ollama is no service there, or is not installed: https://ollama.com/download', 'Without one: ollama serve']
  }
  const why = state === 'failed' ? ['Why it failed, on the server: journalctl -u ollama -n 50'] : []
  return ['The service does not run. Start it on the server: sudo systemctl start ollama', ...why]
}

function plain(line: string): string {
  const shown = line
    .replace(/\u001b\[[0-9;?]*[A-Za-z]/g, '')
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]+/g, ' ')
    .trimEnd()
  return shown.length > MOST_CHARACTERS ? `${shown.slice(0, MOST_CHARACTERS)}…` : shown
}
