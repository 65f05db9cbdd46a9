/** The well-known refusals of an Ollama server, word for word. */

import type { Refusal } from './behaviour.ts'

/** The queue of models to load is full. The two spaces are Ollama's own. */
export const SERVER_BUSY: Refusal = {
  status: 503,
  error: 'server busy, please try again.  maximum pending requests exceeded',
  from: 'handler',
}

export const RUNNER_STOPPED: Refusal = {
  status: 500,
  error:
    'model runner has unexpectedly stopped, this may be due to resource limitations or an internal error, check ollama server logs for details',
}

/** llama-server's refusal of a prompt that is too long: JSON inside a string. */
export function contextExceeded(promptTokens: number, contextTokens: number): Refusal {
  return {
    status: 400,
    error: {
      error: {
        code: 400,
        message: `request (${promptTokens} tokens) exceeds the available context size (${contextTokens} tokens), try increasing it`,
        type: 'exceed_context_size_error',
        n_prompt_tokens: promptTokens,
        n_ctx: contextTokens,
      },
    },
  }
}
