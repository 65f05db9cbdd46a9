/** The vocabulary in which a test says how the double answers one chat or generate request. */

export type SplitMode = 'line' | 'many-lines' | 'one-byte' | 'mid-utf8' | number

export type Ending =
  | 'done'
  /** The last piece travels in the `done:true` line. */
  | 'done-with-content'
  /** A last line `{"error": errorText}`, then a proper end. */
  | 'error-line'
  /** A proper end of the chunked body, without any `done` line. */
  | 'eof-without-done'
  /** The connection is reset (RST) after the last piece. */
  | 'reset'
  /** The connection is closed (FIN) in the middle of the chunked body. */
  | 'fin-without-terminator'
  /** Silence after the last piece, until the client leaves. */
  | 'stall'

export interface ScriptedToolCall {
  readonly name: string
  readonly arguments: Readonly<Record<string, unknown>>
  /** Made from the name and its place when absent. */
  readonly id?: string
}

export interface Refusal {
  readonly status: number
  /** The text; an object is put as JSON inside the string, as llama-server's errors arrive. */
  readonly error: string | object
  /**
   * `handler`: told at once, before queue and load (`application/json; charset=utf-8`, real status in every era).
   * `stream` (default): told after load and prompt (no charset; HTTP 200 and one line in the old era).
   */
  readonly from?: 'handler' | 'stream'
}

/** What is absent comes from the demonstration (text) and from the options of the double (times). */
export interface Behaviour {
  readonly loadMs?: number
  readonly promptMs?: number
  /** Dropped, as the real server does, when thinking is off for the request. */
  readonly thinking?: Iterable<string>
  readonly pieces?: Iterable<string>
  readonly tokensPerSecond?: number | 'unbounded'
  readonly splitMode?: SplitMode
  readonly doneReason?: string
  readonly ending?: Ending
  /** After so many pieces, of thinking and content, the ending comes. */
  readonly cutAfter?: number
  readonly errorText?: string
  readonly refusal?: Refusal
  readonly toolCalls?: readonly ScriptedToolCall[]
  /** `middle` (default): a line of their own before the end. `final`: inside the `done:true` line. */
  readonly toolCallsIn?: 'middle' | 'final'
}

export interface Pace {
  readonly loadMs: number
  readonly promptMs: number
  readonly tokensPerSecond: number | 'unbounded'
  readonly splitMode: SplitMode
  readonly pullBytesPerSecond: number | 'unbounded'
}

export const DEMONSTRATION_PACE: Pace = {
  loadMs: 800,
  promptMs: 150,
  tokensPerSecond: 40,
  splitMode: 'line',
  pullBytesPerSecond: 90_000_000,
}

/** No waiting at all: what most tests want. */
export const INSTANT_PACE: Pace = {
  loadMs: 0,
  promptMs: 0,
  tokensPerSecond: 'unbounded',
  splitMode: 'line',
  pullBytesPerSecond: 'unbounded',
}

export const DEFAULT_ERROR_TEXT = 'an error was encountered while running the model: unexpected EOF'
