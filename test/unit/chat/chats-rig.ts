// The chats of one host, with everything around them in memory but for the folder in which they are kept.
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { Chats } from '../../../src/chat/chats.ts'
import { Journals } from '../../../src/chat/journal/journals.ts'
import { ownerOf } from '../../../src/chat/journal/owner.ts'
import { Claims } from '../../../src/chat/store/claims.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { setUp } from './rig.ts'

/** @param folder of the saved chats */
export function setUpChats(folder: string, { data = folder, pid = process.pid, isAutomatic = true } = {}) {
  const rig = setUp()
  const said: string[] = []
  const owner = () => ownerOf(pid)
  const journals = new Journals({
    ...{ folder: () => join(data, 'journal'), owner, clock: systemClock },
    onDamage: () => {},
    onTrouble: (error) => void said.push(String(error)),
  })
  const claims = new Claims({ folder: () => join(data, 'claims'), owner, clock: systemClock })
  const chats = new Chats({
    asksForTitles: () => false,
    ...rig.deps,
    fullName: (model) => model,
    defaultModel: () => 'gpu:qwen3',
    journals,
    saving: { folder: () => folder, claims, isAutomatic: () => isAutomatic, say: (_, text) => void said.push(text) },
    warn: (text) => void said.push(text),
  })
  // Else their journals stay open, and are closed by the collection of garbage, which warns of it.
  onTestFinished(() => chats.leave())
  return { ...rig, chats, journals, claims, said, handlers: chats.handlers }
}
