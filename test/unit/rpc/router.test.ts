import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { type LogFields, type LogLevel, silentLog } from '../../../src/core/log.ts'
import type { Method } from '../../../src/rpc/protocol.ts'
import { requestSchemas } from '../../../src/rpc/requests.ts'
import { type Handlers, RpcRouter } from '../../../src/rpc/router.ts'

const GOOD: Record<Method, unknown> = {
  handshake: { protocol: 1, config: { think: true }, config_file: '/c', log_file: '/l', data_dir: '/d' },
  'chat.open': { chat: 1, transcript: '# You\n' },
  'chat.piece': { chat: 1, piece: 1, text: '# You\n' },
  'chat.send': { chat: 1, text: 'hi', replaces: 3 },
  'chat.stop': { chat: 1, all: true },
  'chat.resume': { chat: 1 },
  'chat.queue': { chat: 1 },
  'chat.unqueue': { chat: 1, prompt: 2 },
  'chat.again': { chat: 1 },
  'chat.take': { chat: 1, turn: 2 },
  'chat.step': { chat: 1, by: -1 },
  'chat.model': { chat: 1, model: 'box:qwen3:4b' },
  'chat.close': { chat: 1 },
  'chat.load': { chat: 2, file: 'debugging_codellama-7b_20250122-091534.txt' },
  'chat.recover': { chat: 2, key: '20250122-091534-1' },
  'chat.take_up': { chat: 2 },
  'chat.draft': { chat: 1, text: 'a', editing: 3, aside: 'b' },
  'chat.save': { chat: 1, name: 'debugging' },
  'chat.rename': { chat: 1, name: 'debugging' },
  'chat.variant': { chat: 1, turn: 2, by: 1 },
  'chat.variants': { chat: 1, turn: 2 },
  'chat.delete': { chat: 1, turn: 2 },
  'chat.set': { chat: 1, think: 'high', system: null },
  'saved.list': { walk: 1, query: 'lock order' },
  'saved.cancel': { walk: 1 },
  'saved.preview': { file: 'a_b_20250122-091534.txt', lines: 40 },
  'saved.rename': { file: 'a_b_20250122-091534.txt', name: 'c' },
  'saved.delete': { files: ['a_b_20250122-091534.txt'] },
  'saved.summary': {},
  'saved.clear': {},
  'saved.restore': {},
  'left.list': {},
  'left.drop': { key: '20250122-091534-1' },
  'editor.prompt': { chat: 1, model: 'gpu:thinker' },
  'editor.focus': {},
  'config.keep': { split_preference: 'horizontal' },
  'models.list': {},
  'models.watch': { watch: 1, servers: ['gpu'] },
  'models.refresh': {},
  'models.unwatch': { watch: 1 },
  'models.show': { server: 'gpu', model: 'qwen3:4b' },
  'models.delete': { server: 'gpu', model: 'qwen3:4b' },
  'models.copy': { server: 'gpu', model: 'qwen3:4b', to: 'mine' },
  'models.load': { server: 'gpu', model: 'qwen3:4b', keep_alive: '10m' },
  'models.unload': { server: 'gpu', model: 'qwen3:4b' },
  'models.names': {},
  'updates.check': { server: 'gpu', models: ['qwen3:4b'], again: true },
  'pulls.start': { server: 'gpu', model: 'qwen3:4b' },
  'pulls.cancel': { server: 'gpu', model: 'qwen3:4b' },
  'pulls.list': {},
  'service.look': { server: 'gpu' },
  'models.default': { model: 'box:qwen3:4b' },
  'secrets.remember': [],
  'secrets.forget': {},
  'servers.list': {},
  'servers.details': { server: 'gpu' },
  'servers.connect': { server: 'gpu' },
  'servers.disconnect': { server: 'gpu' },
  'servers.test': { walk: 1, server: 'gpu', draft: { ssh: 'me@gpubox' }, may_ask: true },
  'servers.cancel': { walk: 1 },
  'servers.save': { server: 'gpu', draft: { ssh: false, url: 'http://gpubox:11434' } },
  'servers.remove': { server: 'gpu' },
  'servers.default': { server: 'gpu' },
  'servers.aliases': {},
  'question.answer': { question: 1, value: 'secret' },
}
const METHODS = Object.keys(GOOD) as Method[]

describe('RpcRouter', () => {
  it('knows exactly the methods of the protocol', () => {
    expect(METHODS.toSorted()).toEqual(Object.keys(requestSchemas).toSorted())
  })

  it.each(METHODS)('hands %s to its own handler and answers with what it returns', async (method) => {
    const { router, calls } = recording()
    expect(await router.answer(method, GOOD[method])).toEqual({ ok: true, value: `answer of ${method}` })
    expect(calls).toEqual([[method, GOOD[method]]])
  })

  it.each([
    'nothing',
    '',
    'constructor',
    '__proto__',
    'toString',
    'hasOwnProperty',
    undefined,
    null,
    7,
    7n,
    {},
    ['chat.stop'],
    Symbol('chat.stop'),
  ])('refuses the method %s', async (method) => {
    const { router, calls } = recording()
    expect(await router.answer(method, { chat: 1 })).toMatchObject({ ok: false, error: { code: 'RPC_INVALID' } })
    expect(calls).toEqual([])
  })

  it.each([
    ['handshake', { ...(GOOD.handshake as object), protocol: '1' }, 'protocol'],
    ['handshake', { ...(GOOD.handshake as object), config: ['x'] }, 'config'],
    ['handshake', { ...(GOOD.handshake as object), config_file: '' }, 'config_file'],
    ['chat.open', { chat: 0 }, 'chat'],
    ['chat.open', { chat: 1.5 }, 'chat'],
    ['chat.open', { chat: '1' }, 'chat'],
    ['chat.open', { chat: 1, transcript: null }, 'transcript'],
    ['chat.send', { chat: 1 }, 'text'],
    ['chat.send', { chat: 1, text: 'x', replaces: 0 }, 'replaces'],
    ['chat.step', { chat: 1, by: 0 }, 'by'],
    ['chat.step', { chat: 1, by: 0 }, 'by'],
    ['chat.take', { chat: 1 }, 'turn'],
    ['chat.model', { chat: 1, model: '' }, 'model'],
    ['models.list', [1], 'params'],
    ['question.answer', { question: -1 }, 'question'],
    ['question.answer', { question: 1, value: 7 }, 'value'],
    ['chat.stop', undefined, 'params'],
    ['chat.stop', null, 'params'],
    ['chat.stop', [], 'params'],
    ['chat.stop', 'x', 'params'],
  ])('refuses %s with %j and names %s', async (method, params, place) => {
    const { router, calls } = recording()
    expect(await router.answer(method, params)).toEqual({
      ok: false,
      error: {
        code: 'RPC_INVALID',
        message: expect.stringContaining(`${method}: ${place}: `),
        hint: expect.stringContaining(':Ollama restart'),
      },
    })
    expect(calls).toEqual([])
  })

  it('takes the empty list that an empty Lua table becomes for an empty record', async () => {
    const { router, calls } = recording()
    await router.answer('handshake', { ...(GOOD.handshake as object), config: [] })
    expect(calls).toEqual([['handshake', { ...(GOOD.handshake as object), config: {} }]])
    expect(await router.answer('models.list', [])).toMatchObject({ ok: true })
  })

  it('does not tell a secret in a refusal', async () => {
    const { router } = recording()
    const envelope = await router.answer('question.answer', { question: 'hunter2', value: 'hunter2' })
    expect(JSON.stringify(envelope)).not.toContain('hunter2')
  })

  it.each([
    [
      'a failure of ours',
      new PluginError('API_RATE_LIMITED', 'busy', { hint: 'Wait.', cause: new Error('secret') }),
      'API_RATE_LIMITED',
      'info',
    ],
    ['a cancellation', AbortSignal.abort().reason, 'CANCELLED', 'info'],
    ['a defect', new TypeError('oops'), 'INTERNAL', 'error'],
    ['a text', 'oops', 'INTERNAL', 'error'],
    ['nothing', undefined, 'INTERNAL', 'error'],
    ['an object without words', Object.create(null), 'INTERNAL', 'error'],
  ] as Array<[string, unknown, string, LogLevel]>)(
    'answers %s, thrown or rejected, with an envelope and logs it',
    async (_, thrown, code, level) => {
      const ways = [
        () => {
          throw thrown
        },
        () => Promise.reject(thrown),
      ]
      for (const fail of ways) {
        const { router, logged } = recording({ 'chat.stop': fail as never })
        const envelope = await router.answer('chat.stop', { chat: 1 })
        expect(envelope).toMatchObject({ ok: false, error: { code, message: expect.any(String) } })
        expect(JSON.stringify(envelope)).not.toContain('secret')
        expect(logged).toEqual([[level, expect.objectContaining({ method: 'chat.stop', code })]])
      }
    },
  )

  it('answers anything at all with an envelope', async () => {
    const { router } = recording()
    const method = fc.oneof(fc.constantFrom(...METHODS), fc.anything())
    await fc.assert(
      fc.asyncProperty(method, fc.anything({ withNullPrototype: true, withBigInt: true }), async (name, params) => {
        expect(await router.answer(name, params)).toHaveProperty('ok', expect.any(Boolean))
      }),
    )
  })
})

/** A router whose handlers tell that they were called, except those given. */
function recording(own: Partial<Handlers> = {}) {
  const calls: unknown[] = []
  const logged: Array<[LogLevel, LogFields | undefined]> = []
  const handlers = Object.fromEntries(
    METHODS.map((method) => [
      method,
      (params: unknown) => {
        calls.push([method, params])
        return `answer of ${method}`
      },
    ]),
  ) as unknown as Handlers
  const log = {
    ...silentLog,
    info: (_: string, fields?: LogFields) => logged.push(['info', fields]),
    error: (_: string, fields?: LogFields) => logged.push(['error', fields]),
  }
  return { router: new RpcRouter({ ...handlers, ...own }, () => log), calls, logged }
}
