// What a person does with one installed model: show, delete, copy, load, unload. Pulling is a matter of its own (pulls.ts).
import { PluginError } from '../core/errors.ts'
import type { ModelKeeper } from '../providers/provider.ts'
import type { Method, Params, Results } from '../rpc/protocol.ts'

type OperationMethod = Extract<Method, `models.${'show' | 'delete' | 'copy' | 'load' | 'unload'}`>
export type OperationHandlers = { [M in OperationMethod]: (params: Params<M>) => Promise<Results[M]> }

export interface OperationDeps {
  /** @throws PluginError SERVER_NOT_FOUND */
  keeper: (server: string) => ModelKeeper
  /** Something was done with the models of a server: what is known of them is out of date. */
  onDone: (server: string) => void
}

const GONE = 'It was deleted meanwhile, as by another program: the list shows what is there now.'

export function modelOperations({ keeper, onDone }: OperationDeps): OperationHandlers {
  /** One that is gone was taken away by somebody else: the list is out of date, and no chat is meant by what to do next. */
  const ask = <T>(server: string, operation: (keeper: ModelKeeper) => Promise<T>): Promise<T> =>
    operation(keeper(server)).catch((thrown: unknown) => {
      if (!(thrown instanceof PluginError) || thrown.code !== 'API_INVALID_MODEL') throw thrown
      onDone(server)
      throw new PluginError(thrown.code, thrown.message, { hint: GONE, cause: thrown })
    })
  const done = async (server: string, operation: (keeper: ModelKeeper) => Promise<void>) => {
    await ask(server, operation)
    onDone(server)
    return {}
  }
  return {
    'models.show': async ({ server, model }) => {
      const { modelFile, trainedContext, ...texts } = await ask(server, (one) => one.show(model))
      return {
        ...texts,
        ...(modelFile === undefined ? {} : { model_file: modelFile }),
        ...(trainedContext === undefined ? {} : { trained_context: trainedContext }),
      }
    },
    'models.delete': ({ server, model }) => done(server, (keeper) => keeper.remove(model)),
    'models.copy': ({ server, model, to }) => done(server, (keeper) => keeper.copy(model, to)),
    'models.load': ({ server, model, keep_alive: keepAlive }) =>
      done(server, (keeper) => keeper.load(model, keepAlive === undefined ? {} : { keepAlive })),
    'models.unload': ({ server, model }) => done(server, (keeper) => keeper.unload(model)),
  }
}
