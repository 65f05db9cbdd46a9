// JSON in a comment of Markdown, and looking at JSON that anyone may have written. Pure.

export type Json = Readonly<Record<string, unknown>>

/** JSON that is one line for everyone, and cannot end the comment. */
export function inComment(value: unknown): string {
  return JSON.stringify(value).replace(
    /[>\u2028\u2029]/g,
    (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** `undefined` when it is no JSON. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export function isRecord(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function asRecord(value: unknown): Json {
  return isRecord(value) ? value : {}
}

export function own(values: Json, key: string): unknown {
  return Object.hasOwn(values, key) ? values[key] : undefined
}
