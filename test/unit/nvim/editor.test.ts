import { getEventListeners } from 'node:events'
import { describe, expect, it } from 'vitest'
import { Editor } from '../../../src/nvim/editor.ts'
import { settle } from '../core/fake-clock.ts'

const SECRET = { title: 'Passphrase', detail: 'of ~/.ssh/id_ed25519' }

describe('the verbs', () => {
  it('are calls of verbs.lua, with their arguments as they are', async () => {
    const { editor, calls } = editorAnswering({ render: { lines: 3 }, append: { lines: 4 } })
    await editor.reply(7, { ok: true, value: { a: 1 } })
    await editor.render(1, '# You\n')
    await editor.append(1, 'a "quoted"\nword')
    await editor.state({ chat: 1, phase: 'idle', queued: 0 })
    await editor.notify('warn', 'careful')
    const row = { name: 'gpu', state: 'idle' } as never
    const step = { stage: 'tcp', ms: 3 } as const
    await editor.server(row)
    await editor.testStep(7, step)
    const pull = { server: 'gpu', model: 'qwen3:4b', state: 'queued', status: '' } as const
    await editor.pull(pull)
    expect(calls).toEqual([
      ['reply', 7, { ok: true, value: { a: 1 } }],
      ['render', 1, '# You\n', 0],
      ['append', 1, 'a "quoted"\nword'],
      ['state', { chat: 1, phase: 'idle', queued: 0 }],
      ['notify', 'warn', 'careful'],
      ['server', row],
      ['test_step', 7, step],
      ['pull', pull],
    ])
  })

  it('tell how many lines stand there, or that nothing does any more', async () => {
    const { editor } = editorAnswering({ render: { lines: 0 }, append: { gone: true } })
    expect(await editor.render(1, '')).toEqual({ lines: 0 })
    expect(await editor.append(1, 'x')).toBe('gone')
  })

  it.each([null, undefined, true, 3, 'gone', [], {}, { lines: '3' }, { gone: 1 }, { gone: false }])(
    'take the answer %j for a Neovim that is not ours',
    async (answer) => {
      const { editor } = editorAnswering({ append: answer, render: answer })
      await expect(editor.append(1, 'x')).rejects.toMatchObject({ code: 'EDITOR_GONE' })
      await expect(editor.render(1, 'x')).rejects.toMatchObject({ code: 'EDITOR_GONE' })
    },
  )

  it('hand a failure of the channel on', async () => {
    const failure = new Error('channel closed')
    const { editor } = editorAnswering({ append: failure, reply: failure })
    await expect(editor.append(1, 'x')).rejects.toBe(failure)
    await expect(editor.reply(1, { ok: true, value: null })).rejects.toBe(failure)
  })
})

describe('a question', () => {
  it.each([
    ['secret', SECRET, 'hunter2'],
    ['choose', { title: 'New key', detail: 'SHA256:x', choices: ['accept', 'refuse'] }, 'accept'],
  ] as const)('of kind %s is put once and answered with what comes for its number', async (kind, question, value) => {
    const { editor, calls } = editorAnswering({})
    const attempt = new AbortController()
    const { signal } = attempt
    const answer = editor[kind](question as never, signal)
    expect(calls).toEqual([['ask', { question: 1, kind, ...question }]])
    editor.answer(2, 'for another')
    editor.answer(1, value)
    expect(await answer).toBe(value)
    attempt.abort()
    expect(calls).toHaveLength(1)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('that the person cancels is answered with nothing, an empty secret with an empty one', async () => {
    const { editor } = editorAnswering({})
    const { signal } = new AbortController()
    const cancelled = editor.secret(SECRET, signal)
    const empty = editor.secret(SECRET, signal)
    editor.answer(1, undefined)
    editor.answer(2, '')
    expect([await cancelled, await empty]).toEqual([undefined, ''])
  })

  it('has a number of its own, so that answers in any order find theirs', async () => {
    const { editor } = editorAnswering({})
    const attempt = new AbortController()
    const { signal } = attempt
    const first = editor.secret(SECRET, signal)
    const second = editor.secret(SECRET, signal)
    editor.answer(2, 'two')
    editor.answer(1, 'one')
    expect(await Promise.all([first, second])).toEqual(['one', 'two'])
    attempt.abort()
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('is withdrawn when its attempt is given up, and a late answer means nothing', async () => {
    const { editor, calls } = editorAnswering({})
    const controller = new AbortController()
    const reason = new Error('given up')
    const answer = editor.secret(SECRET, controller.signal)
    controller.abort(reason)
    await expect(answer).rejects.toBe(reason)
    expect(calls.at(-1)).toEqual(['withdraw', 1])
    editor.answer(1, 'too late')
    expect(getEventListeners(controller.signal, 'abort')).toEqual([])
  })

  it('tells whether the same attempt asks once more, as soon as that is known', async () => {
    const { editor } = editorAnswering({ ask: true })
    const controller = new AbortController()
    const put = (signal: AbortSignal) => editor.secret(SECRET, signal)
    const first = put(controller.signal)
    const another = put(new AbortController().signal)
    const isMore = editor.answer(1, 'wrong')
    await first
    editor.answer(2, 'of another attempt')
    await another
    const second = put(controller.signal)
    expect(await isMore).toBe(true)
    const isMoreYet = editor.answer(3, 'right')
    await second
    controller.abort()
    expect(await isMoreYet).toBe(false)
    expect(await editor.answer(3, 'once more')).toBe(false)
  })

  it('is not withdrawn when the attempt ends after the answer', async () => {
    const { editor, calls } = editorAnswering({})
    const controller = new AbortController()
    const answer = editor.secret(SECRET, controller.signal)
    editor.answer(1, 'x')
    await answer
    controller.abort()
    await settle()
    expect(calls).toHaveLength(1)
  })

  it('is never put for an attempt that is given up already', async () => {
    const { editor, calls } = editorAnswering({})
    const reason = new Error('given up')
    await expect(editor.secret(SECRET, AbortSignal.abort(reason))).rejects.toBe(reason)
    expect(calls).toEqual([])
  })

  it('fails when it cannot be put, and leaves no listener behind', async () => {
    const failure = new Error('channel closed')
    const { editor } = editorAnswering({ ask: failure })
    const { signal } = new AbortController()
    await expect(editor.secret(SECRET, signal)).rejects.toBe(failure)
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  it('that cannot even be withdrawn still ends with the reason', async () => {
    const { editor } = editorAnswering({ withdraw: new Error('channel closed') })
    const controller = new AbortController()
    const answer = editor.secret(SECRET, controller.signal)
    controller.abort(new Error('given up'))
    await expect(answer).rejects.toThrow('given up')
    await settle()
  })
})

/** An editor on a client that answers each verb as told, and notes the calls. An Error is a rejection. */
function editorAnswering(answers: Record<string, unknown>) {
  const calls: unknown[][] = []
  const client = {
    async request(method: string, [lua, args]: unknown[]): Promise<unknown> {
      expect(method).toBe('nvim_exec_lua')
      const verb = /^return require\('ollama-remote\.verbs'\)\.(\w+)\(\.\.\.\)$/.exec(String(lua))?.[1] ?? `? ${lua}`
      calls.push([verb, ...(args as unknown[])])
      const answer = answers[verb]
      if (answer instanceof Error) throw answer
      return answer
    },
  }
  return { editor: new Editor(client), calls }
}
