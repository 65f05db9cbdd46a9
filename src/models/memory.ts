// What is remembered of models from one session to the next: what never changes of a digest, and each server's list as it
// was last read. A cache only: whoever writes last wins, and what is lost is asked for again.
import type { Log } from '../core/log.ts'
import type { Model } from '../providers/provider.ts'
import type { Facts } from './model-rows.ts'
import { emptyModels, type KeptModels, type ModelsFile } from './models-file.ts'

const MOST_FACTS = 2_000
const MOST_SERVERS = 50
const MOST_MODELS = 500

export interface KeptList {
  /** When it was read, in milliseconds since the epoch. */
  read: number
  models: readonly Model[]
}

export class ModelMemory {
  readonly #file: ModelsFile
  readonly #log: Log
  readonly #lists = new Map<string, KeptList>()
  readonly #facts = new Map<string, Facts & { seen: number }>()
  #reading: Promise<void> | undefined
  #writing: Promise<void> = Promise.resolve()

  constructor(file: ModelsFile, log: Log) {
    this.#file = file
    this.#log = log
  }

  /** Takes up what is kept, once. What was learnt meanwhile goes before it. */
  load(): Promise<void> {
    this.#reading ??= this.#file.read().then((kept) => this.#take(kept))
    return this.#reading
  }

  list(server: string): KeptList | undefined {
    return this.#lists.get(server)
  }

  get lists(): ReadonlyMap<string, KeptList> {
    return this.#lists
  }

  facts(digest: string): Facts | undefined {
    return this.#facts.get(digest)
  }

  /** A server's list was read. */
  keepList(server: string, list: KeptList): void {
    this.#lists.set(server, list)
    for (const { digest } of list.models) {
      const known = digest === undefined ? undefined : this.#facts.get(digest)
      if (known) known.seen = list.read
    }
  }

  keepFacts(digest: string, facts: Facts, seen: number): void {
    this.#facts.set(digest, { ...facts, seen })
  }

  /** Writes down what is known now, and what another Neovim has written meanwhile. */
  save(): Promise<void> {
    this.#writing = this.#writing.then(async () => {
      try {
        this.#take(await this.#file.read())
        await this.#file.write(this.#kept())
      } catch (error) {
        this.#log.warn('what is known of models was not kept', { error })
      }
    })
    return this.#writing
  }

  #take({ facts, servers }: KeptModels): void {
    for (const [digest, { seen, ...known }] of Object.entries(facts)) {
      if (!this.#facts.has(digest)) this.#facts.set(digest, { ...(known as Facts), seen })
    }
    for (const [server, list] of Object.entries(servers)) {
      const known = this.#lists.get(server)
      if (known === undefined || known.read < list.read) this.#lists.set(server, list as KeptList)
    }
  }

  #kept(): KeptModels {
    const kept = emptyModels()
    const facts = [...this.#facts].sort(([, a], [, b]) => b.seen - a.seen).slice(0, MOST_FACTS)
    const lists = [...this.#lists].sort(([, a], [, b]) => b.read - a.read).slice(0, MOST_SERVERS)
    kept.facts = Object.fromEntries(facts) as KeptModels['facts']
    kept.servers = Object.fromEntries(
      lists.map(([server, { read, models }]) => [server, { read, models: models.slice(0, MOST_MODELS) }]),
    ) as KeptModels['servers']
    return kept
  }
}
