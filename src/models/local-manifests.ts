// The manifests of installed models, which Ollama's API does not tell: read where Ollama keeps them, by one command over SSH
// that only reads. How the command gets there is not known here; that it does not is nothing to worry about.
import type { Clock } from '../core/clock.ts'
import { digestOf, type Manifest, parseManifest } from './manifest.ts'
import type { ModelName } from './names.ts'

/** Runs a command at the server and gives what it printed. */
export type Run = (command: string, signal: AbortSignal) => Promise<Uint8Array>

interface Wanted {
  path: string
  digest: string
  resolve: (manifest: Manifest | undefined) => void
}

/** Others that are wanted so soon after the first are read with it; its registry takes longer to answer, in milliseconds. */
const GATHERING_MS = 50

/** What a command may take, in milliseconds; a verdict does not wait longer for it. */
const READING_MS = 5_000

/** How many are read by one command, so that no shell finds it too long. */
const AT_ONCE = 32

/** A server may greet on stdout; its words shall not pass for an answer. */
const MARK = 'ollama-remote-manifest'

/** As the service is set, as the user's own Ollama is, and where the installers of Linux distributions put them. */
const FOLDERS =
  '"$OLLAMA_MODELS" "$f" "$HOME/.ollama/models" /usr/share/ollama/.ollama/models /var/lib/ollama/.ollama/models /var/lib/ollama/models'

/** For any login shell, since it is one word in quotes for a POSIX one: no quote, line break, `!` or backslash is in it. */
const SCRIPT = [
  'f=; for e in $(systemctl show -p Environment --value ollama 2>/dev/null)',
  `do case $e in OLLAMA_MODELS=*) f=\${e#*=};; esac`,
  'done; i=0; for p in "$@"',
  `do for d in ${FOLDERS}`,
  'do m=$d/manifests/$p',
  `if [ -n "$d" ] && [ -f "$m" ] && [ -r "$m" ]; then echo "${MARK}" $i $(wc -c <"$m"); cat "$m"; echo; fi`,
  'done; i=$((i+1))',
  'done; :',
].join('; ')

/** What stands in a path of ours: it can neither end a quote nor leave the folder. */
const PATH = /^(?:[A-Za-z0-9_][A-Za-z0-9_.:-]*\/){3}[A-Za-z0-9_][A-Za-z0-9_.-]*$/

/** @throws Error for a path that is none of a manifest. */
export function readCommand(paths: readonly string[]): string {
  for (const path of paths) {
    if (!PATH.test(path)) throw new Error(`${JSON.stringify(path)} cannot be named in a command`)
  }
  return `sh -c '${SCRIPT}' sh ${paths.map((path) => `'${path}'`).join(' ')}`
}

/** The files that were printed, each with the index of its path; of one path there may be several. */
export function* filesIn(printed: Uint8Array): Generator<{ index: number; bytes: Uint8Array }> {
  const all = Buffer.from(printed)
  for (let at = all.indexOf(MARK); at >= 0; at = all.indexOf(MARK, at)) {
    const end = all.indexOf('\n', at)
    const [, index, size] = /^\S+ (\d+) +(\d+)$/.exec(all.toString('latin1', at, end < 0 ? undefined : end)) ?? []
    at += MARK.length
    if (index === undefined || end + 1 + Number(size) > all.length) continue
    yield { index: Number(index), bytes: all.subarray(end + 1, end + 1 + Number(size)) }
    at = end + 1 + Number(size)
  }
}

export class LocalManifests {
  readonly #run: Run
  readonly #signal: AbortSignal
  readonly #clock: Clock
  #waiting: Wanted[] = []
  #isRunning = false
  /** A command that failed once is not run again. */
  #isHopeless = false

  /** `signal` ends what is being read. */
  constructor({ run, signal, clock }: { run: Run; signal: AbortSignal; clock: Clock }) {
    this.#run = run
    this.#signal = signal
    this.#clock = clock
  }

  /** The manifest that has this digest; `undefined` when it cannot be had. Never rejects. */
  read({ host, namespace, model, tag }: ModelName, digest: string): Promise<Manifest | undefined> {
    if (this.#isHopeless) return Promise.resolve(undefined)
    return new Promise((resolve) => {
      this.#waiting.push({ path: `${host}/${namespace}/${model}/${tag}`, digest, resolve })
      if (!this.#isRunning) void this.#readWaiting()
    })
  }

  /** What is wanted while a command runs is read by the next one. */
  async #readWaiting(): Promise<void> {
    this.#isRunning = true
    await this.#clock.sleep(GATHERING_MS, this.#signal).catch(() => {})
    while (this.#waiting.length > 0) {
      const wanted = this.#waiting.splice(0, AT_ONCE)
      const found = await this.#found(wanted)
      for (const [index, { resolve }] of wanted.entries()) resolve(found.get(index))
    }
    this.#isRunning = false
  }

  async #found(wanted: readonly Wanted[]): Promise<Map<number, Manifest>> {
    const found = new Map<number, Manifest>()
    if (this.#isHopeless) return found
    try {
      const printed = await this.#printed(readCommand(wanted.map(({ path }) => path)))
      for (const { index, bytes } of filesIn(printed)) {
        const manifest = hasDigest(bytes, wanted[index]?.digest) ? parseManifest(bytes) : undefined
        if (manifest) found.set(index, manifest)
      }
    } catch {
      // Without it less is known, which the verdict says.
      this.#isHopeless = true
    }
    return found
  }

  async #printed(command: string): Promise<Uint8Array> {
    const late = new AbortController()
    const over = new AbortController()
    const tooLate = this.#clock.sleep(READING_MS, AbortSignal.any([over.signal, this.#signal])).then(() => {
      late.abort(new Error('It took too long'))
      throw late.signal.reason
    })
    tooLate.catch(() => {})
    try {
      return await Promise.race([this.#run(command, AbortSignal.any([this.#signal, late.signal])), tooLate])
    } finally {
      over.abort()
    }
  }
}

/** Another folder may hold another Ollama's. What a reader of JSON leaves at the end may not count. */
function hasDigest(bytes: Uint8Array, digest: string | undefined): boolean {
  const text = Buffer.from(bytes)
  const trimmed = text.at(-1) === 0x0a ? text.subarray(0, -1) : text
  return [text, trimmed].some((candidate) => digestOf(candidate) === digest)
}
