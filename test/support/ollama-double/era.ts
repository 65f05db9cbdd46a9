/** What differs between the generations of Ollama servers that the double can play. */

export type Era = 'current' | 'old'

export interface Dialect {
  readonly version: string
  /** Capabilities and trained context in `/api/tags` (0.30.0). */
  readonly tagsTellCapabilities: boolean
  /** `context_length` in `/api/ps` (0.10.0). */
  readonly psTellsContext: boolean
  /** A model appears in `/api/ps` while it still loads (before 0.30). */
  readonly listsLoadingModels: boolean
  /** Thinking is on when the request does not say (0.12.4). */
  readonly thinksUnlessTold: boolean
  /** `think:false` is accepted by a model that cannot think (0.12.5). */
  readonly thinkFalseIsHarmless: boolean
  /** An error before the first line has its real status (0.12.6); before: HTTP 200 and one line. */
  readonly earlyErrorsHaveStatus: boolean
  /** Tool calls have an `id` (0.12.10). */
  readonly toolCallIds: boolean
  missingModelInChat(name: string): string
}

export const DIALECTS: Readonly<Record<Era, Dialect>> = {
  current: {
    version: '0.32.15',
    tagsTellCapabilities: true,
    psTellsContext: true,
    listsLoadingModels: false,
    thinksUnlessTold: true,
    thinkFalseIsHarmless: true,
    earlyErrorsHaveStatus: true,
    toolCallIds: true,
    missingModelInChat: (name) => `model '${name}' not found`,
  },
  old: {
    version: '0.9.6',
    tagsTellCapabilities: false,
    psTellsContext: false,
    listsLoadingModels: true,
    thinksUnlessTold: false,
    thinkFalseIsHarmless: false,
    earlyErrorsHaveStatus: false,
    toolCallIds: false,
    missingModelInChat: (name) => `model "${name}" not found, try pulling it first`,
  },
}

/** Whether a wrong method on a known route is told by 405; before 0.7.0 it was 404, like an unknown route. */
export function tellsWrongMethod(version: string): boolean {
  const [major, minor] = version.split('.', 2).map(Number)
  return version === '0.0.0' || major !== 0 || minor === undefined || Number.isNaN(minor) || minor >= 7
}

/** Whether `_debug_render_only` is heeded (0.11.5); before, it is ignored like any unknown field. */
export function rendersPrompts(version: string): boolean {
  const [major = 0, minor = 0, patch = 0] = version.split(/[.-]/, 3).map(Number)
  return version === '0.0.0' || major > 0 || minor > 11 || (minor === 11 && patch >= 5)
}
