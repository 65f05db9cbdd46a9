// The queue of pulls, what a person sees of them, and how they end.
import { describe, expect, it } from 'vitest'
import { settle } from '../core/fake-clock.ts'
import { MB, setUpPulls } from './pull-rig.ts'

describe('the queue', () => {
  it('has so many at a time of a server as are wanted, in their order', async () => {
    const { start, asked, row, clock } = setUpPulls({ atOnce: 2 })
    for (const model of ['a:1', 'b:1', 'c:1']) await start(model)
    expect(asked.map(({ model }) => model)).toEqual(['a:1', 'b:1'])
    expect(row('c:1').state).toBe('queued')
    asked[0]?.done()
    await clock.advance(0)
    expect(asked.map(({ model }) => model)).toEqual(['a:1', 'b:1', 'c:1'])
  })

  it('does not have one server wait for another', async () => {
    const { start, asked } = setUpPulls()
    await start('a:1', 'gpu')
    await start('a:1', 'box')
    expect(asked).toHaveLength(2)
  })

  it('takes a name that is being pulled for the same pull, however it is written', async () => {
    const { start, asked, pulls } = setUpPulls({ atOnce: 4 })
    await start('Qwen3')
    await start('qwen3:latest')
    await start('registry.ollama.ai/library/qwen3')
    expect(asked).toHaveLength(1)
    expect(pulls.rows.map(({ model }) => model)).toEqual(['Qwen3:latest'])
  })

  it('finds the server of a model that is named with it', async () => {
    const { startByReference, pulls } = setUpPulls()
    await startByReference('box:qwen3:4b')
    expect(pulls.rows).toMatchObject([{ server: 'box', model: 'qwen3:4b' }])
  })

  it('pulls again what has ended, and forgets what ended before', async () => {
    const { start, last, asked, pulls, clock } = setUpPulls()
    await start('a:1')
    last().fail('PULL_DISK_FULL')
    await clock.advance(0)
    await start('b:1')
    expect(pulls.rows.map(({ model }) => model)).toEqual(['b:1'])
    await start('a:1')
    asked[1]?.done()
    await clock.advance(0)
    expect(asked.map(({ model }) => model)).toEqual(['a:1', 'b:1', 'a:1'])
  })

  it('refuses a server that is not configured', async () => {
    const { start } = setUpPulls()
    await expect(start('a:1', 'gone')).rejects.toMatchObject({ code: 'SERVER_NOT_FOUND' })
  })
})

describe('a pull', () => {
  it('tells its first change at once, the others not more than 8 times a second, and the last always', async () => {
    const { start, last, rows, clock } = setUpPulls()
    await start('a:1')
    expect(rows.map(({ state }) => state)).toEqual(['queued'])
    for (let tick = 0; tick < 100; tick += 1) {
      last().layer(tick)
      await clock.advance(10)
    }
    expect(rows.length).toBeLessThanOrEqual(10)
    last().done()
    await clock.advance(500)
    expect(rows.at(-1)).toMatchObject({ state: 'done', completed: 100 * MB, total: 100 * MB })
  })

  it('is verified in silence without being taken for stalled', async () => {
    const { start, last, row, clock } = setUpPulls()
    await start('a:1')
    last().layer(50).report({ status: 'verifying sha256 digest' })
    await clock.advance(300_000)
    expect(row('a:1').state).toBe('verifying')
    last().done()
    await clock.advance(0)
    expect(row('a:1').state).toBe('done')
    expect(clock.timers).toBeLessThanOrEqual(1) // the telling's own pause
  })

  it('stalls after 15 s without a byte, is asked for again a minute later, and not for ever', async () => {
    const { start, last, asked, row, clock } = setUpPulls()
    await start('a:1')
    last().layer(10).layer(20)
    await clock.advance(16_000)
    expect(row('a:1')).toMatchObject({ state: 'stalled', rate: 0 })
    await clock.advance(60_000)
    expect(asked).toHaveLength(2)
    expect(asked[0]?.isOpen).toBe(false)
    last().layer(20)
    await clock.advance(1_000)
    expect(row('a:1')).toMatchObject({ state: 'pulling', completed: 20 * MB, rate: 0 })
    await clock.advance(240_000)
    expect(row('a:1')).toMatchObject({ state: 'failed', error: { code: 'PULL_FAILED' } })
    expect(asked.length).toBeLessThanOrEqual(4)
  })

  it('waits for a tunnel that was lost, and goes on where the server has it', async () => {
    const { start, last, asked, backs, row, clock } = setUpPulls()
    await start('a:1')
    last().layer(0)
    await clock.advance(1_000)
    last().layer(40)
    await clock.advance(1_000)
    last().fail('SSH_DISCONNECTED', 'The link to gpu is lost')
    await clock.advance(60_000)
    expect(row('a:1')).toMatchObject({ state: 'waiting', completed: 40 * MB, error: { code: 'SSH_DISCONNECTED' } })
    expect(asked).toHaveLength(1)
    backs[0]?.back()
    await settle()
    last().layer(38)
    await clock.advance(1_000)
    last().layer(39)
    await clock.advance(1_000)
    expect(row('a:1')).toMatchObject({ state: 'pulling', completed: 40 * MB })
    expect(row('a:1').rate).toBeLessThan(MB)
    expect(row('a:1')).not.toHaveProperty('error')
    last().done()
    await clock.advance(0)
    expect(row('a:1').state).toBe('done')
  })

  it('fails with what has the way never come back', async () => {
    const { start, last, backs, row, clock } = setUpPulls()
    await start('a:1')
    last().fail('SSH_DISCONNECTED')
    await clock.advance(0)
    backs[0]?.never(new Error('the login is refused'))
    await clock.advance(0)
    expect(row('a:1')).toMatchObject({ state: 'failed', error: { message: 'the login is refused' } })
  })

  it('asks a server that ends it again and again ever less often, and gives up', async () => {
    const { start, asked, backs, row, clock } = setUpPulls()
    await start('a:1')
    for (let turn = 0; turn < 600 && row('a:1').state !== 'failed'; turn += 1) {
      asked.at(-1)?.fail('API_INCOMPLETE')
      await clock.advance(1_000)
      for (const { back } of backs.splice(0)) back()
      await settle()
    }
    expect(row('a:1')).toMatchObject({ state: 'failed', error: { code: 'API_INCOMPLETE' } })
    expect(asked).toHaveLength(11)
  })

  it.each(['PULL_DISK_FULL', 'PULL_NEEDS_NEWER', 'MODEL_NOT_FOUND', 'REGISTRY_REFUSED'] as const)(
    'ends at %s without another attempt',
    async (code) => {
      const { start, last, asked, row, clock } = setUpPulls()
      await start('a:1')
      last().fail(code, 'why')
      await clock.advance(600_000)
      expect(row('a:1')).toMatchObject({ state: 'failed', error: { code, message: 'why' } })
      expect(asked).toHaveLength(1)
    },
  )
})

describe('cancelling', () => {
  it('closes the channel, and says that what was fetched stays', async () => {
    const { start, cancel, last, row, messages, clock } = setUpPulls()
    await start('a:1')
    last().layer(0).layer(30)
    await settle()
    await cancel('a')
    expect(row('a:1').state).toBe('pulling') // another tag
    await cancel('a:1')
    expect(last().isOpen).toBe(false)
    expect(row('a:1')).toMatchObject({ state: 'cancelled', note: expect.stringContaining('stays on the server') })
    await clock.advance(1_000)
    expect(messages).toEqual(['info: Cancelled: gpu:a:1'])
  })

  it('takes one that waits for its turn out of the queue', async () => {
    const { start, cancel, asked, row, clock } = setUpPulls()
    for (const model of ['a:1', 'b:1', 'c:1']) await start(model)
    await cancel('b:1')
    expect(row('b:1').state).toBe('cancelled')
    asked[0]?.done()
    await clock.advance(0)
    expect(asked.map(({ model }) => model)).toEqual(['a:1', 'c:1'])
  })

  it.each(['waiting', 'stalled'] as const)('works while it is %s', async (state) => {
    const { start, cancel, last, row, clock } = setUpPulls()
    await start('a:1')
    if (state === 'waiting') last().fail('SSH_DISCONNECTED')
    await clock.advance(20_000)
    expect(row('a:1').state).toBe(state)
    await cancel('a:1')
    expect(row('a:1').state).toBe('cancelled')
    await clock.advance(1_000)
    expect(clock.timers).toBe(0)
  })

  it('is not told of a failure that its asker tells, but of all else', async () => {
    const { pulls, last, messages, clock } = setUpPulls()
    const ask = () => pulls.handlers['pulls.start']({ server: 'gpu', model: 'a:1', quiet: true })
    ask()
    await clock.advance(0)
    last().fail('PULL_DISK_FULL')
    await clock.advance(1_000)
    expect(messages).toEqual([])
    ask()
    await clock.advance(0)
    last().done()
    await clock.advance(1_000)
    expect(messages).toEqual([expect.stringMatching(/gpu:a:1/)])
  })

  it('is told of a failure when somebody else has asked for the same', async () => {
    const { pulls, last, messages, clock } = setUpPulls()
    const ask = (more = {}) => pulls.handlers['pulls.start']({ server: 'gpu', model: 'a:1', ...more })
    ask({ quiet: true })
    await clock.advance(0)
    ask()
    ask({ quiet: true })
    last().fail('PULL_DISK_FULL')
    await clock.advance(1_000)
    expect(messages).toEqual([expect.stringMatching(/gpu:a:1/)])
  })

  it('takes one that failed off the list, of which nobody is told again', async () => {
    const { start, cancel, last, pulls, rows, shown, messages, clock } = setUpPulls()
    await start('a:1')
    last().fail('PULL_DISK_FULL')
    await clock.advance(1_000)
    expect(shown.get('a:1')).toBe('failed')
    const told = rows.length + messages.length
    await cancel('A:1')
    expect(pulls.rows).toEqual([])
    await cancel('a:1')
    expect(shown.get('a:1')).toBe('cancelled')
    await clock.advance(1_000)
    expect(rows.length + messages.length).toBe(told)
  })

  it('is what the end of the host does with all of them, and tells nobody', async () => {
    const { pulls, start, asked, rows, messages, clock } = setUpPulls()
    await start('a:1')
    await start('b:1')
    await clock.advance(1_000)
    const told = rows.length
    pulls.close()
    await clock.advance(1_000)
    expect(asked.map(({ isOpen }) => isOpen)).toEqual([false])
    expect(rows).toHaveLength(told)
    expect(messages).toEqual([])
    expect(clock.timers).toBe(0)
  })
})

describe('the summary', () => {
  it('comes once, after the last one', async () => {
    const { start, last, messages, clock } = setUpPulls({ installed: ['a:1', 'b:1', 'c:1'] })
    for (const model of ['a:1', 'b:1', 'c:1', 'd:1']) await start(model)
    last().layer(0).done()
    await clock.advance(200)
    last().layer(100).done()
    await clock.advance(200)
    last().fail('PULL_DISK_FULL', 'The disk of gpu is full')
    await clock.advance(200)
    expect(messages).toEqual([])
    last().layer(0).done()
    await clock.advance(200)
    expect(messages).toEqual([
      'warn: 1 model updated, 1 pulled, 1 up to date already, 1 failed: gpu:c:1 (The disk of gpu is full)',
    ])
  })

  it('comes after the last state of the last one, which would be shown over it', async () => {
    const { start, last, rows, messages, clock } = setUpPulls()
    await start('a:1')
    const before: string[] = []
    messages.push = (text) => before.push(`${text} after ${rows.at(-1)?.state}`)
    last().layer(50).done()
    await clock.advance(200)
    expect(before).toEqual(['info: Pulled: gpu:a:1 after done'])
  })

  it('says that the one in memory is still the old', async () => {
    const { start, last, loaded, messages, row, clock } = setUpPulls({ installed: ['a:1'] })
    loaded.push({ name: 'a:1', digest: 'old' })
    await start('a:1')
    last().layer(0).layer(50).done()
    await clock.advance(200)
    expect(messages).toEqual(['info: Updated: gpu:a:1; still the old one in memory: gpu:a:1'])
    expect(row('a:1').note).toMatch(/still the old/)
  })

  it('says nothing of it when the one in memory is the one that was pulled', async () => {
    const { start, last, loaded, messages, clock } = setUpPulls()
    loaded.push({ name: 'a:1', digest: 'new' })
    await start('a:1')
    last().done()
    await clock.advance(200)
    expect(messages).toEqual(['info: Pulled: gpu:a:1'])
  })
})
