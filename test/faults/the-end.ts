// Plays the row in which Neovim itself dies: nobody is left to be told, and nothing of it may live on.
import { descendants, isAlive } from '../support/process-tree.ts'
import type { Seen } from './fault.ts'
import type { Stage } from './stage.ts'

const PATIENCE_MS = 10_000

/** The stage is in mid-answer. */
export async function playTheEnd(stage: Stage): Promise<Omit<Seen, 'name' | 'how' | 'moment' | 'notRun'>> {
  const { world, sshd, until } = stage
  const family = [world.nvim.pid, ...descendants(world.nvim.pid)]
  const counts: [what: string, count: () => number][] = [
    ['processes live on', () => family.filter(isAlive).length],
    ['answers are still being made', () => world.ollama.activeGenerations],
    ['sessions of sshd live on', () => sshd.sessions().length],
  ]
  const began = performance.now()
  await world.nvim.kill()
  await until(() => counts.every(([, count]) => count() === 0), PATIENCE_MS)
  const knownMs = performance.now() - began
  const leaks = counts.flatMap(([what, count]) => (count() === 0 ? [] : [`${count()} ${what}`]))
  await stage.populate()
  await stage.world.open()
  const isAnswered = (await stage.next(PATIENCE_MS)) !== undefined
  return {
    knownMs,
    read: 'nobody reads; the time is until nothing of it is left',
    left: 'the text so far, in the journal: `:Ollama recover`',
    byItself: 'host, connection and answer end',
    nextPrompt: isAnswered ? 'answered, by a new Neovim' : 'not answered',
    leaks,
    problems: [...leaks, ...(isAnswered ? [] : ['the next prompt was not answered'])],
  }
}
