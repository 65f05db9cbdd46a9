// What the words of a failed pull mean, and what to do next. They come under HTTP 200, so only the words tell.
import { type ErrorCode, PluginError } from '../core/errors.ts'
import { type AnswerOrigin, errorFromAnswer, wordsOf } from './ollama-errors.ts'

interface Meaning {
  when: RegExp
  code: ErrorCode
  say: (words: string, origin: { server: string; model: string }) => string
  hint: string
}

/** The first that fits counts. */
const MEANINGS: readonly Meaning[] = [
  {
    when: /no space left|not enough (disk )?space|disk quota exceeded|disk is full/i,
    code: 'PULL_DISK_FULL',
    say: (_, { server, model }) => `The disk of ${server} is full: ${model} does not fit`,
    hint: 'Delete a model there that is not needed, and pull again: it goes on with what was fetched.',
  },
  {
    when: /\b412\b|requires a newer version/i,
    code: 'PULL_NEEDS_NEWER',
    say: (_, { server, model }) => `${model} needs a newer Ollama than ${server} has`,
    hint: 'Update Ollama on the server (https://ollama.com/download), and pull again.',
  },
  {
    when: /invalid model name/i,
    code: 'MODEL_NOT_FOUND',
    say: (_, { model }) => `"${model}" is no name that a model can have`,
    hint: 'Names are as qwen3:8b, user/model:tag or hf.co/user/model:tag.',
  },
  {
    when: /file does not exist|manifest(_| )unknown|name(_| )unknown|manifest: 404/i,
    code: 'MODEL_NOT_FOUND',
    say: (_, { model }) => `The registry has no model "${model}"`,
    hint: 'Check its name and tag on https://ollama.com/library; a private one is told in the same way.',
  },
  {
    when: /unauthorized|access denied|forbidden|manifest: 40[13]\b|\b429\b|too many requests|realm host/i,
    code: 'REGISTRY_REFUSED',
    say: (words, { server, model }) => `The registry refuses ${model} to ${server}: ${words}`,
    hint: 'A private model needs the key of the server: run ollama signin there. Else try again later.',
  },
  {
    when: /no such host|dial tcp|i\/o timeout|connection re(fused|set)|network is unreachable|TLS handshake|max retries/i,
    code: 'REGISTRY_UNREACHABLE',
    say: (words, { server }) => `${server} cannot reach the registry: ${words}`,
    hint: 'It is the server that fetches: see to its way to the internet (HTTPS_PROXY of its service), and pull again.',
  },
  {
    when: /digest mismatch/i,
    code: 'PULL_FAILED',
    say: (_, { model }) => `What came of ${model} was damaged on its way, and is thrown away`,
    hint: 'Pull it again.',
  },
  {
    when: /./s,
    code: 'PULL_FAILED',
    say: (words, { server, model }) => `${server} could not pull ${model}: ${words}`,
    hint: 'Pull it again; the log of Ollama on the server may tell more.',
  },
]

/** The failure that an error line of a pull, or its refusal, stands for. */
export function pullError(body: string, origin: AnswerOrigin & { model: string }): PluginError {
  const words = plain(wordsOf(body))
  const refusedByServer = origin.status === 403 && !words
  const meaning = words && !(origin.status === 404) && !refusedByServer && MEANINGS.find(({ when }) => when.test(words))
  if (!meaning) return errorFromAnswer(body, origin)
  return new PluginError(meaning.code, meaning.say(words, origin), { hint: meaning.hint })
}

/** On one line; of a registry's own JSON, its message. */
function plain(words: string | undefined): string | undefined {
  return words
    ?.replace(/\s+/g, ' ')
    .replace(/\{"errors":.*?"message":"([^"]*)".*$/, '$1')
    .trim()
}
