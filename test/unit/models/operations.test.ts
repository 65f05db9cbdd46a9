// What a person does with a model, before a keeper that writes down what it is asked for.
import { expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import { modelOperations } from '../../../src/models/operations.ts'
import type { ModelKeeper } from '../../../src/providers/provider.ts'

it('asks the server meant, and tells that its models are not what they were', async () => {
  const { handlers, asked, done } = setUp()
  await handlers['models.delete']({ server: 'gpu', model: 'm' })
  await handlers['models.copy']({ server: 'gpu', model: 'm', to: 'n' })
  await handlers['models.load']({ server: 'gpu', model: 'm', keep_alive: -1 })
  await handlers['models.load']({ server: 'gpu', model: 'm' })
  await handlers['models.unload']({ server: 'gpu', model: 'm' })
  expect(asked).toEqual(['remove m', 'copy m n', 'load m {"keepAlive":-1}', 'load m {}', 'unload m'])
  expect(done).toEqual(['gpu', 'gpu', 'gpu', 'gpu', 'gpu'])
})

it('shows a model by the names of the protocol, which changes nothing', async () => {
  const { handlers, done } = setUp()
  expect(await handlers['models.show']({ server: 'gpu', model: 'm' })).toEqual({
    ...{ template: 'T', model_file: 'FROM m', trained_context: 4096 },
  })
  expect(done).toEqual([])
})

it('hands a failure on, and tells nobody that something was done', async () => {
  const { handlers, done } = setUp({ remove: () => Promise.reject(new Error('gone')) })
  await expect(handlers['models.delete']({ server: 'gpu', model: 'm' })).rejects.toThrow('gone')
  expect(done).toEqual([])
})

it('has a server looked at anew whose model is gone, and speaks of the list', async () => {
  const missing = new PluginError('API_INVALID_MODEL', 'gpu has no model "m"', { hint: 'gP in the chat pulls it' })
  const gone = () => Promise.reject(missing)
  const { handlers, done } = setUp({ unload: gone, show: gone })
  const said = { message: missing.message, hint: expect.stringContaining('deleted meanwhile') }
  await expect(handlers['models.unload']({ server: 'gpu', model: 'm' })).rejects.toMatchObject(said)
  await expect(handlers['models.show']({ server: 'gpu', model: 'm' })).rejects.toMatchObject(said)
  expect(done).toEqual(['gpu', 'gpu'])
})

function setUp(given: Partial<ModelKeeper> = {}) {
  const asked: string[] = []
  const done: string[] = []
  const write =
    (what: string) =>
    async (...words: unknown[]) => {
      const said = words.filter((word) => word !== undefined)
      asked.push([what, ...said.map((word) => (typeof word === 'string' ? word : JSON.stringify(word)))].join(' '))
    }
  const keeper = {
    ...{ remove: write('remove'), copy: write('copy'), load: write('load'), unload: write('unload') },
    show: async () => ({ template: 'T', modelFile: 'FROM m', trainedContext: 4096 }),
    ...given,
  } as unknown as ModelKeeper
  const handlers = modelOperations({ keeper: () => keeper, onDone: (server) => done.push(server) })
  return { handlers, asked, done }
}
