// What an attempt may use that perhaps nobody sits before: it asks only where it may.
import type { Secrets } from './secrets/secrets.ts'
import type { Prompts } from './transport.ts'

/** The same prompts, each put only after `mayAsk`, which throws when it may not. */
export function askedFirst(prompts: Prompts, mayAsk: () => void): Prompts {
  return {
    secret: async (question, signal) => {
      mayAsk()
      return prompts.secret(question, signal)
    },
    choose: async (question, signal) => {
      mayAsk()
      return prompts.choose(question, signal)
    },
  }
}

/** The same secrets, those at rest opened only after `mayAsk`: what opens them may have to be asked for. */
export function openedFirst(secrets: Secrets, mayAsk: () => void): Secrets {
  return {
    get: async (name, signal) => {
      if (!secrets.peek) return secrets.get(name, signal)
      const known = secrets.peek(name)
      if (known !== undefined) return known
      mayAsk()
      return secrets.get(name, signal)
    },
    set: (name, secret) => secrets.set(name, secret),
    delete: (name) => secrets.delete(name),
    inTurn: (name, work) => secrets.inTurn?.(name, work) ?? work(),
  }
}
