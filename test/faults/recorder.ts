// Watches a screen from redraw to redraw and remembers when each error code, and each word of a fault, was first there.
import { ERROR_CODES } from '../../src/core/errors.ts'
import type { NeovimDriver } from '../support/nvim-driver.ts'

export interface Sign {
  /** A code, or the words that tell of a fault, to the end of their line. */
  words: string
  isCode: boolean
  /** Of `performance.now()`. */
  at: number
}

const FOREVER_MS = 1_000_000
/** What says that something is wrong before there is a code. */
const WORDS = /(interrupted|reconnect|offline|connection was lost|trying again)[^│]*/i

export class Recorder {
  readonly #signs: Sign[] = []
  #known = new Set<string>()
  #isOver = false

  readonly #own: RegExp | undefined

  /** `own` are words of the fault at hand. */
  constructor(nvim: NeovimDriver, own?: RegExp) {
    this.#own = own
    const look = (screen: string) => {
      this.#see(screen)
      return this.#isOver
    }
    // It ends with Neovim, which is no failure of the recorder's.
    nvim.waitForScreen(look, FOREVER_MS).catch(() => {})
  }

  /** What was there until now counts for nothing from now on. */
  forget(): void {
    this.#signs.length = 0
    this.#known = new Set()
  }

  get signs(): readonly Sign[] {
    return this.#signs
  }

  end(): void {
    this.#isOver = true
  }

  #see(screen: string): void {
    const text = unwrapped(screen)
    for (const code of ERROR_CODES) if (text.includes(code)) this.#add(code, true)
    for (const words of [WORDS, this.#own]) {
      const match = screen.split('\n').flatMap((line) => words?.exec(line)?.[0] ?? [])[0]
      if (match !== undefined) this.#add(match.trim(), false)
    }
  }

  #add(words: string, isCode: boolean): void {
    if (this.#known.has(words)) return
    this.#known.add(words)
    this.#signs.push({ words, isCode, at: performance.now() })
  }
}

/** Without the breaks and bars that a narrow window makes. */
export function unwrapped(screen: string): string {
  return screen.replace(/^~.*?│/gm, '').replace(/[\s▎│]/g, '')
}
