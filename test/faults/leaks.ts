// Counts what should be gone: connections at the proxy and the double, sessions of the sshd, processes of the host.
import { descendants, isAlive } from '../support/process-tree.ts'
import type { Stage } from './stage.ts'

/** Connections are kept for the next requests: so many are asked at once, of the answer and of what is learnt beside it. */
const CHANNELS_IN_USE = 4
const PATIENCE_MS = 4_000

/** While the chat is idle: what a fault has left behind beside the one connection that is in use. */
export async function leaksInUse({ world, proxy, servers, until }: Stage): Promise<string[]> {
  const { ollama } = world
  const isClean = () => proxy.connections.open <= servers && ollama.connections.open <= CHANNELS_IN_USE
  if (await until(isClean, PATIENCE_MS)) return []
  return [`${proxy.connections.open} connections and ${ollama.connections.open} channels are open while idle`]
}

/** Ends the world from Neovim down, and tells what does not go with it. */
export async function leave(stage: Stage): Promise<string[]> {
  const { world, proxy, sshd } = stage
  const host = await world.hostPid()
  const processes = [host, ...descendants(host)]
  stage.recorder.end()
  await world.nvim.quit()
  const counts: [what: string, count: () => number][] = [
    ['processes of the host live on', () => processes.filter(isAlive).length],
    ['connections to the proxy are open after the end', () => proxy.connections.open],
    ['channels are open after the end', () => world.ollama.connections.open],
    ['sessions of sshd live on after the end', () => sshd.sessions().length],
  ]
  await stage.until(() => counts.every(([, count]) => count() === 0), PATIENCE_MS)
  return counts.flatMap(([what, count]) => (count() === 0 ? [] : [`${count()} ${what}`]))
}
