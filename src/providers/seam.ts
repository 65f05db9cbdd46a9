// Where a continuation joins the text so far: what is sent of a cut answer, and what of the first words that come back is
// new. Pure; who is asked for them is ollama-resume.ts's.

/** What becomes of the answer at the seam. */
export interface Joined {
  /** So many UTF-16 units at the end of the text so far the continuation writes anew. */
  back: number
  /** What follows after that. */
  text: string
}

/** Takes the first words of a continuation until it is clear how they join. */
export interface Joint {
  /** `undefined` while that is open; words are kept meanwhile. */
  push(text: string): Joined | undefined
  /** The continuation ended while it was open. */
  end(): Joined
}

/** A longer last word is no word: text without spaces, or data. */
const LONGEST_TAIL = 48

/** An overlap is looked for in so much of the answer's end. */
export const QUOTED_LENGTH = 200

const LAST_CHUNK = /\s*\S*\s*$/u
const LAST_WORD = /\s*[\p{L}\p{N}_]*\s*$/u

/**
 * Cuts the last word off, with the white space around it. Tokens rarely end where a cut answer does, and some templates
 * trim white space, so that what is sent must end with a whole word.
 */
export function cutForSending(text: string): { sent: string; dropped: string } {
  const start = Math.max(0, text.length - 2 * LONGEST_TAIL)
  const end = text.slice(start)
  const cuts = [LAST_CHUNK, LAST_WORD].map((pattern) => start + end.search(pattern))
  const at = cuts.find((cut) => text.length - cut <= LONGEST_TAIL) ?? text.trimEnd().length
  return { sent: text.slice(0, at), dropped: text.slice(at) }
}

/**
 * The joint of a continuation that begins where `sent` ended: it should first repeat what was dropped. Where it goes
 * another way, it is right, since it alone goes on.
 */
export class RepeatedTail implements Joint {
  readonly #dropped: string
  /** White space at its beginning, which a server may leave out of its first token. */
  readonly #indent: string
  #came = ''

  constructor(dropped: string) {
    this.#dropped = dropped
    this.#indent = dropped.slice(0, dropped.length - dropped.trimStart().length)
  }

  push(text: string): Joined | undefined {
    this.#came += text
    const isBare = this.#indent !== '' && /^\S/.test(this.#came)
    const candidates = isBare ? [this.#came, this.#indent + this.#came] : [this.#came]
    const whole = candidates.find((came) => came.startsWith(this.#dropped))
    if (whole !== undefined) return { back: 0, text: whole.slice(this.#dropped.length) }
    if (candidates.some((came) => this.#dropped.startsWith(came))) return undefined
    const common = commonLength(this.#dropped, this.#came)
    return { back: this.#dropped.length - common, text: this.#came.slice(common) }
  }

  /** A continuation that ends within the repetition had nothing to add. */
  end(): Joined {
    return { back: 0, text: '' }
  }
}

/** The joint of an answer that was asked to go on: it may repeat some of the end that it was shown. */
export class Overlap implements Joint {
  readonly #tail: string
  #came = ''

  /** @param text the answer so far */
  constructor(text: string) {
    this.#tail = text.slice(-QUOTED_LENGTH)
  }

  push(text: string): Joined | undefined {
    this.#came += text
    return mayStillOverlap(this.#tail, this.#came) ? undefined : this.end()
  }

  end(): Joined {
    return { back: 0, text: this.#came.slice(overlapLength(this.#tail, this.#came)) }
  }
}

/** The longest beginning of `head` that is an end of `tail` and begins there with a word. */
export function overlapLength(tail: string, head: string): number {
  const longest = Math.min(tail.length, head.length)
  for (let length = longest; length > 0; length--) {
    const at = tail.length - length
    if (isWordStart(tail, at) && tail.endsWith(head.slice(0, length))) return length
  }
  return 0
}

/** Whether more words could make an overlap of what has come, or a longer one. */
function mayStillOverlap(tail: string, head: string): boolean {
  if (head.length >= tail.length) return false
  for (let at = tail.indexOf(head); at !== -1; at = tail.indexOf(head, at + 1)) {
    if (isWordStart(tail, at) && at + head.length < tail.length) return true
  }
  return false
}

function isWordStart(text: string, at: number): boolean {
  return at === 0 || /\s/.test(text[at] ?? '') || /\s/.test(text[at - 1] ?? '')
}

/** Never within a surrogate pair. */
function commonLength(one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  const isSplit = /[\uD800-\uDBFF]/.test(one[length - 1] ?? '') && length < one.length
  return isSplit ? length - 1 : length
}
