import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../../src/core/errors.ts'
import { errorFromAnswer } from '../../../src/providers/ollama-errors.ts'

const NESTED =
  '{"error":{"code":400,"message":"request (42947 tokens) exceeds the available context size (8192 tokens), try increasing it","type":"exceed_context_size_error","n_prompt_tokens":42947,"n_ctx":8192}}'

/** Status, the server's exact words, the code, and a part of the sentence. */
const REFUSALS: Array<[number, string, ErrorCode, string]> = [
  [400, 'missing request body', 'API_ERROR', 'box answered: missing request body'],
  [400, "invalid character 'x' looking for beginning of value", 'API_ERROR', "invalid character 'x'"],
  [400, 'model is required', 'API_ERROR', 'model is required'],
  [400, 'invalid model name', 'API_ERROR', 'invalid model name'],
  [404, "model 'qwen3:4b' not found", 'API_INVALID_MODEL', 'box has no model "qwen3:4b"'],
  [404, 'model "qwen3:4b" not found, try pulling it first', 'API_INVALID_MODEL', 'box has no model "qwen3:4b"'],
  [404, 'words of a version to come', 'API_INVALID_MODEL', 'box has no model "qwen3:4b"'],
  [400, 'registry.ollama.ai/library/x:tag does not support tools', 'API_MODEL_UNFIT', 'does not support tools'],
  [400, '"qwen3:4b" does not support chat', 'API_MODEL_UNFIT', 'does not support chat'],
  [400, '"qwen3:4b" does not support generate', 'API_MODEL_UNFIT', 'does not support generate'],
  [400, '"qwen3:4b" does not support thinking', 'API_MODEL_UNFIT', 'does not support thinking'],
  [400, 'top_logprobs must be between 0 and 20', 'API_ERROR', 'top_logprobs'],
  [400, NESTED, 'API_CONTEXT_FULL', 'request (42947 tokens) exceeds the available context size (8192 tokens)'],
  [500, NESTED, 'API_CONTEXT_FULL', 'request (42947 tokens)'],
  [400, 'the input length exceeds the context length', 'API_CONTEXT_FULL', 'the input length'],
  [
    400,
    'the prompt is longer than the context length currently available to the model; shorten the prompt, or raise it',
    'API_CONTEXT_FULL',
    'the prompt is longer',
  ],
  [401, 'unauthorized', 'API_FORBIDDEN', 'box is not signed in for this model: unauthorized'],
  [403, 'ollama cloud is disabled: remote model is unavailable', 'API_ERROR', 'ollama cloud is disabled'],
  [499, 'request canceled', 'API_ERROR', 'request canceled'],
  [500, 'llama-server process has terminated: exit status 1: error loading model', 'API_ERROR', 'exit status 1'],
  [500, 'timed out waiting for llama-server to start - progress 0.00', 'API_ERROR', 'could not be loaded in time'],
  [500, 'timed out waiting for llama runner to start: ', 'API_ERROR', 'could not be loaded in time'],
  [500, 'llama runner process has terminated: signal: killed', 'API_ERROR', 'signal: killed'],
  [
    500,
    'llama runner process has terminated: cudaMalloc failed: out of memory',
    'API_ERROR',
    "does not fit into the server's memory",
  ],
  [
    500,
    'model requires more system memory (9.1 GiB) than is available (3.2 GiB)',
    'API_ERROR',
    "does not fit into the server's memory",
  ],
  [
    500,
    'model runner has unexpectedly stopped, this may be due to resource limitations',
    'API_ERROR',
    'unexpectedly stopped',
  ],
  [500, "error parsing tool call: raw='{', err=unexpected end of JSON input", 'API_ERROR', "raw='{'"],
  [500, 'option "num_ctx" must be of type integer', 'API_ERROR', 'num_ctx'],
  [502, 'dial tcp: lookup ollama.com: no such host', 'API_ERROR', 'no such host'],
  [503, 'server busy, please try again.  maximum pending requests exceeded', 'API_RATE_LIMITED', 'box is busy'],
]

describe('errorFromAnswer', () => {
  it.each(REFUSALS)('understands %d %s', (status, words, code, sentence) => {
    const error = errorFromAnswer(JSON.stringify({ error: words }), { server: 'box', status, model: 'qwen3:4b' })
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(sentence),
      hint: expect.stringMatching(/\.$/),
    })
  })

  const inStream = REFUSALS.filter(
    ([status, words]) => ![401].includes(status) && words !== 'words of a version to come',
  )
  it.each(inStream)(
    'understands the same within a stream, where old servers send it: (%d) %s',
    (_, words, code, sentence) => {
      const error = errorFromAnswer(`${JSON.stringify({ error: words })}\n`, { server: 'box', model: 'qwen3:4b' })
      expect(error).toMatchObject({ code, message: expect.stringContaining(sentence) })
    },
  )

  it("takes a refusal with an empty body for one of the request's host", () => {
    const error = errorFromAnswer('', { server: 'box', status: 403 })
    expect(error).toMatchObject({ code: 'API_FORBIDDEN', hint: expect.stringContaining('OLLAMA_HOST') })
  })

  it.each([
    [404, '404 page not found'],
    [404, '404 page not found\n'],
  ])('takes %d %j for a server that does not know the request, not for a missing model', (status, body) => {
    expect(errorFromAnswer(body, { server: 'box', status, model: 'm' }).code).toBe('API_PROTOCOL')
  })

  it('passes 405 on', () => {
    const error = errorFromAnswer('405 method not allowed', { server: 'box', status: 405 })
    expect(error).toMatchObject({ code: 'API_ERROR', message: 'box answered: 405 method not allowed' })
  })

  it("keeps the server's words where no model is known", () => {
    const error = errorFromAnswer('{"error":"model \'x\' not found"}', { server: 'box', status: 404 })
    expect(error).toMatchObject({ code: 'API_INVALID_MODEL', message: "box: model 'x' not found" })
  })

  it('reads the error that 0.11 sent under a sentence as key', () => {
    const error = errorFromAnswer('{"error parsing tool call":"raw=\'x\'"}', { server: 'box' })
    expect(error).toMatchObject({ code: 'API_ERROR', message: "box answered: error parsing tool call: raw='x'" })
  })

  it.each([
    ['JSON in a string', JSON.stringify({ error: NESTED })],
    ['JSON in a string in a string', JSON.stringify({ error: JSON.stringify({ error: NESTED }) })],
    ['an object', NESTED],
  ])('finds the words in %s', (_, body) => {
    expect(errorFromAnswer(body, { server: 'box', status: 400 })).toMatchObject({
      code: 'API_CONTEXT_FULL',
      message: expect.not.stringContaining('{'),
    })
  })

  it('keeps words that only look like JSON', () => {
    const error = errorFromAnswer('{"error":"{{ template }} is broken"}', { server: 'box', status: 500 })
    expect(error.message).toBe('box answered: {{ template }} is broken')
  })

  it.each([
    [500, '{"error":""}', 'box answered: HTTP 500'],
    [302, '', 'box answered: HTTP 302'],
    [undefined, '{"error":""}', 'box answered: HTTP 200'],
  ])('says something where the server says nothing: %s %s', (status, body, message) => {
    expect(errorFromAnswer(body, { server: 'box', ...(status === undefined ? {} : { status }) })).toMatchObject({
      code: 'API_ERROR',
      message,
    })
  })

  it.each([
    '<html>502 Bad Gateway</html>',
    'null',
    '7',
    '"text"',
    '[]',
    '{}',
    '{"status":"ok"}',
    '{"error":null}',
    '{"message":null,"error":null}',
    'SSH-2.0-OpenSSH_9.6',
  ])('takes %s for no answer of Ollama', (body) => {
    const error = errorFromAnswer(body, { server: 'box', status: 200 })
    expect(error).toMatchObject({ code: 'API_PROTOCOL', message: `box sent what is no answer of Ollama: ${body}` })
  })

  it('cuts what a stranger sends', () => {
    expect(errorFromAnswer('x'.repeat(10_000), { server: 'box', status: 200 }).message.length).toBeLessThan(150)
  })

  it('makes an error of anything', () => {
    const body = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((error) => JSON.stringify({ error })),
      fc.object().map((error) => JSON.stringify({ error })),
    )
    fc.assert(
      fc.property(body, fc.constantFrom(undefined, 200, 400, 403, 404, 500, 503), (body, status) => {
        const error = errorFromAnswer(body, { server: 'box', ...(status === undefined ? {} : { status }) })
        expect(error).toMatchObject({
          code: expect.stringMatching(/^API_/),
          message: expect.stringMatching(/^[^\0]/),
          hint: expect.any(String),
        })
      }),
    )
  })
})
