import type { World } from './world.ts'

/** The user's own server, as `ssh` knows it. Without a model named, one is chosen in Neovim. */
export function realServer(destination: string, model: string | undefined): World {
  return {
    description: `Talking to Ollama on ${destination}`,
    setup: { servers: { remote: { ssh: destination } }, ...(model ? { default_model: `remote:${model}` } : {}) },
    stop: async () => {},
  }
}
