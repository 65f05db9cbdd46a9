/**
 * Ten thousand saved chats. From the key of the picker, in a Neovim whose host is up but has never looked at the folder, to
 * the first entries in the editor; from a question of text that only the oldest chat answers to that chat; the editor's main
 * loop meanwhile. Beside it what a shell would do: `ls -t`, `grep -ril`.
 */
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Editor } from '../editor.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { sample } from '../sampling.ts'
import { fillShelf } from '../saved-chats.ts'
import type { Scope } from '../scope.ts'
import { openStage } from '../stage.ts'
import { maximum, percentile } from '../statistics.ts'

export const savedChats: Scenario = {
  name: 'saved-chats',
  title: 'Ten thousand saved chats',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

const FIRST_ENTRIES_MS = 100
const LOOP_MS = 16
const CHAT_BYTES = 20_000
const NEEDLE = 'Heffalump'

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const folder = await rig.folder()
  await fillShelf(folder, { count: rig.settings.savedChats, bytes: CHAT_BYTES, needle: NEEDLE })
  const { editor } = await openStage(rig, line, scope, { folder })
  // A host that has just begun loads its libraries for the tunnel, which a person does not notice.
  await delay(1_000)
  const listed = await sample(editor, () => list(editor, ''))
  const again = await list(editor, '')
  const searched = await sample(editor, () => list(editor, NEEDLE.toLowerCase().slice(0, -1)))
  const narrowed = await list(editor, NEEDLE.toLowerCase())
  const chats = join(folder, 'data', 'nvim', 'ollama', 'chats')
  const count = rig.settings.savedChats.toLocaleString('en')
  const rows: Row[] = [
    {
      figure: `${line}: key → first entries of ${count}`,
      unit: 'ms',
      ours: listed.value.first,
      also: { 'once more': again.first, all: listed.value.all },
      beside: [{ what: '`ls -t`', value: await timed('ls', ['-t', chats]) }],
      target: { atMost: FIRST_ENTRIES_MS },
    },
    {
      figure: `${line}: a word of the oldest chat's text → that chat`,
      unit: 'ms',
      ours: searched.value.first,
      also: { all: searched.value.all, 'with a letter more': narrowed.first },
      beside: [{ what: '`grep -ril`', value: await timed('grep', ['-ril', NEEDLE, chats]) }],
    },
    {
      figure: `${line}: … the editor's main-loop delay meanwhile, p99.9`,
      unit: 'ms',
      ours: percentile([...listed.loop, ...searched.loop], 99.9),
      also: { max: maximum([...listed.loop, ...searched.loop]) },
      target: { atMost: LOOP_MS },
    },
  ]
  return rows
}

/** Milliseconds until the first batch that is not empty, and until all was told. */
function list(editor: Editor, query: string): Promise<{ first: number; all: number }> {
  const told = editor.told<{ first: number; all: number }>('listed')
  editor.lua(LIST, query).catch(() => {})
  return told
}

async function timed(program: string, args: readonly string[]): Promise<number> {
  const from = performance.now()
  await promisify(execFile)(program, args, { maxBuffer: 64 * 1024 * 1024 })
  return performance.now() - from
}

const LIST = `
  local query = ...
  local began, first = Bench.now(), nil
  require('ollama-remote.saved.walks').list(query, function(entries)
    if #entries > 0 then first = first or Bench.now() end
  end, function()
    Bench.tell('listed', { first = (first or Bench.now()) - began, all = Bench.now() - began })
  end)
`
