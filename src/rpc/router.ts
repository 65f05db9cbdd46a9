// From a notification of Lua's to a handler and back to an envelope. What the handlers do is app.ts's.
import type * as z from 'zod'
import { PluginError, toPluginError, toRecord } from '../core/errors.ts'
import type { Log } from '../core/log.ts'
import type { Envelope, Method, Params, Results } from './protocol.ts'
import { requestSchemas } from './requests.ts'

/** One handler for every method: the compiler refuses a table with a row too few or too many. */
export type Handlers = { [M in Method]: (params: Params<M>) => Promise<Results[M]> | Results[M] }

export class RpcRouter {
  readonly #handlers: Handlers
  readonly #log: () => Log

  constructor(handlers: Handlers, log: () => Log) {
    this.#handlers = handlers
    this.#log = log
  }

  /** Answers any request, however broken, with an envelope; never throws. */
  async answer(method: unknown, params: unknown): Promise<Envelope> {
    try {
      return { ok: true, value: await this.#dispatch(method, params) }
    } catch (thrown) {
      const error = toPluginError(thrown)
      this.#log()[error.code === 'INTERNAL' ? 'error' : 'info']('request failed', { method, code: error.code, error })
      return { ok: false, error: toRecord(error) }
    }
  }

  #dispatch(method: unknown, params: unknown): unknown {
    if (!isMethod(method)) throw new PluginError('RPC_INVALID', `The host knows no method ${nameOf(method)}`)
    const parsed = requestSchemas[method].safeParse(params)
    if (!parsed.success) throw invalid(method, parsed.error)
    // The table's type binds each handler to its own row's schema, which TypeScript cannot follow through a union.
    const handler = this.#handlers[method] as (params: unknown) => unknown
    return handler(parsed.data)
  }
}

function isMethod(method: unknown): method is Method {
  return typeof method === 'string' && Object.hasOwn(requestSchemas, method)
}

function nameOf(method: unknown): string {
  return typeof method === 'string' ? JSON.stringify(method) : `that is of type ${typeof method}`
}

function invalid(method: Method, error: z.ZodError): PluginError {
  const faults = error.issues.map((issue) => `${issue.path.join('.') || 'params'}: ${issue.message}`).join('; ')
  return new PluginError('RPC_INVALID', `${method}: ${faults}`, {
    hint: 'The two halves of the plugin may be of different versions: :Ollama restart.',
  })
}
