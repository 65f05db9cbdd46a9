// What the tests of Ollama's double share: a double that ends with its test, requests, and what came of them.
import { afterEach } from 'vitest'
import { INSTANT_PACE } from '../../support/ollama-double/behaviour.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../support/ollama-double/ollama-double.ts'
import type { OllamaDoubleOptions } from '../../support/ollama-double/options.ts'
import type { RawReply, RawRequest } from '../../support/ollama-double/raw-client.ts'

const open: OllamaDouble[] = []
afterEach(() => Promise.all(open.splice(0).map((double) => double.stop())))

export async function start(options: OllamaDoubleOptions = {}): Promise<OllamaDouble> {
  const double = await startOllamaDouble({ ...INSTANT_PACE, ...options })
  open.push(double)
  return double
}

export const QWEN = defineModel({
  name: 'qwen3:4b',
  family: 'qwen3',
  capabilities: ['completion', 'tools', 'thinking'],
})
export const HI = [{ role: 'user', content: 'hi' }]
export const JSON_TYPE = 'Content-Type: application/json; charset=utf-8'

export function chat(extra: object = {}): RawRequest {
  return { path: '/api/chat', body: { model: 'demo', messages: HI, ...extra } }
}

export function lines(reply: RawReply): Record<string, unknown>[] {
  return reply.body
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
}

export function contentOf(reply: RawReply): string {
  return lines(reply)
    .map((line) => (line.message as { content?: string } | undefined)?.content ?? '')
    .join('')
}

/** Times replaced, so that the rest can be compared byte for byte. */
export function timeless(text: string): string {
  return text
    .replace(/"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)"/g, '"TIME"')
    .replace(/"(total|load|prompt_eval|eval)_duration":\d+/g, '"$1_duration":NS')
    .replace(/Date: [^\r]+/, 'Date: DATE')
}
