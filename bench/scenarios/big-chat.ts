/**
 * A chat of 5 MB: taken over by a host that is started anew and knows nothing of it; opened when its buffer was wiped; taken
 * over by a host that has its journal; a turn taken out and back again; hidden and shown again.
 * Measured is the longest delay of the editor's main loop, for one freeze is what a person feels.
 */
import { setTimeout as delay } from 'node:timers/promises'
import type { Turn } from '../../src/chat/record/conversation.ts'
import { render } from '../../src/chat/transcript/format.ts'
import type { Editor } from '../editor.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { type Sample, sample } from '../sampling.ts'
import type { Scope } from '../scope.ts'
import { openStage } from '../stage.ts'
import { maximum, median } from '../statistics.ts'
import { answerText } from '../text.ts'

export const bigChat: Scenario = {
  name: 'big-chat',
  title: 'A chat of 5 MB, highlighting on',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

const BYTES = 5_000_000
const TURNS = 500
const IDLE_MS = 2_000
const TOGGLES = 5
const STEPS = 10
const LIMIT_MS = 50
/** What is drawn after a toggle is drawn by then. */
const SETTLE_MS = 300

/** Puts the text into the transcript, as a host that has died would have left it. */
const LEAVE = `
  Bench.text = ...
  local chat = require('ollama-remote.chats').current()
  local buffer = chat.buffers.transcript
  Bench.lines = vim.split(Bench.text, '\\n', { plain = true })
  vim.bo[buffer].modifiable = true
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, Bench.lines)
  vim.bo[buffer].modifiable = false
`

/** Tells when the chat is known to a host and stands in the transcript as a whole. */
const AWAIT_WHOLE = `
  local function look()
    local chat = require('ollama-remote.chats').current()
    local buffer = chat.buffers.transcript
    local rows = buffer and vim.api.nvim_buf_line_count(buffer) or 0
    if chat.known and rows == #Bench.lines and not chat.drawing then
      return Bench.tell('whole', vim.api.nvim_buf_get_lines(buffer, 0, -1, false)[rows - 3] == Bench.lines[rows - 3])
    end
    vim.defer_fn(look, 5)
  end
  vim.defer_fn(look, 20)
`

const ASK = `
  local method, params = ...
  local chat = require('ollama-remote.chats').current()
  local began = Bench.now()
  require('ollama-remote.chat.session').request(chat, method, params, function()
    Bench.tell('asked', Bench.now() - began)
  end)
`

const WIPE = "vim.cmd('bwipeout! ' .. require('ollama-remote.chats').current().buffers.transcript)"

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const { editor } = await openStage(rig, line, scope)
  const idle = await sample(editor, () => delay(IDLE_MS))
  const text = bigText()
  await editor.lua(LEAVE, text)
  const named = `${line}: ${(text.length / 1e6).toFixed(1)} MB, ${text.split('\n').length.toLocaleString('en')} lines`
  const adopted = await sample(editor, () => whole(editor, "vim.cmd('Ollama restart')"))
  await editor.lua(WIPE)
  await delay(SETTLE_MS)
  const opened = await sample(editor, () => whole(editor, "vim.cmd('Ollama toggle')"))
  const again = await sample(editor, () => whole(editor, "vim.cmd('Ollama restart')"))
  const stepped = await sample(editor, () => step(editor))
  const toggled = await sample(editor, () => toggle(editor))
  return [
    row(`${named}: taken over by a new host`, adopted, idle),
    row(`${named}: opened`, opened, idle),
    row(`${named}: taken over by the one that has its journal`, again, idle),
    stepRow(`${named}: a turn taken out, and back: key → transcript`, stepped, idle),
    row(`${named}: hidden and shown ${TOGGLES} times`, toggled, idle),
  ]
}

function row(figure: string, taken: Sample<unknown>, idle: Sample<unknown>): Row {
  return {
    figure: `${figure}: longest main-loop delay`,
    unit: 'ms',
    ours: maximum(taken.loop),
    also: { 'longest key delay': maximum(taken.keys) },
    beside: [{ what: 'idle', value: maximum(idle.loop) }],
    target: { atMost: LIMIT_MS },
  }
}

function stepRow(figure: string, taken: Sample<number[]>, idle: Sample<unknown>): Row {
  return {
    figure,
    unit: 'ms',
    ours: median(taken.value),
    also: { max: maximum(taken.value), 'longest main-loop delay': maximum(taken.loop) },
    beside: [{ what: 'longest delay when idle', value: maximum(idle.loop) }],
  }
}

/** Does what brings the chat, and waits until all of it is there. */
async function whole(editor: Editor, code: string): Promise<void> {
  const told = editor.told<boolean>('whole')
  await editor.lua(code)
  await editor.lua(AWAIT_WHOLE)
  if (!(await told)) throw new Error('the transcript is not what it should be')
}

/** Takes the last turn out, and goes to and fro between the two versions; the one with all turns is shown in the end. */
async function step(editor: Editor): Promise<number[]> {
  await asked(editor, 'chat.delete', { turn: TURNS })
  const times: number[] = []
  for (let half = 0; half <= 2 * STEPS; half += 1) {
    times.push(await asked(editor, 'chat.step', { by: half % 2 === 0 ? -1 : 1 }))
  }
  return times
}

/** Milliseconds until a request about the chat was answered. */
function asked(editor: Editor, method: string, params: Record<string, unknown>): Promise<number> {
  const told = editor.told<number>('asked')
  editor.lua(ASK, method, params).catch(() => {})
  return told
}

async function toggle(editor: Editor): Promise<void> {
  for (let half = 0; half < 2 * TOGGLES; half += 1) {
    await editor.lua("vim.cmd('Ollama toggle')")
    await delay(SETTLE_MS)
  }
}

/** Questions and answers in turn: thinking, paragraphs, lists and code. */
function bigText(): string {
  const answer = answerText({ label: 'big', tokens: 4_000 })
  const each = Math.round((2 * BYTES) / TURNS)
  const text = answer.repeat(Math.ceil(each / answer.length)).slice(0, each)
  const at = '2026-11-20 14:02:31'
  const turns = Array.from({ length: TURNS }, (_, index): Turn => {
    if (index % 2 === 0) return { role: 'user', text: `What of question ${index}?`, at }
    return {
      role: 'assistant',
      model: 'bench:demo',
      text,
      thinking: 'Let me see.\nIt is the lock.',
      thinkingMs: 1_234,
      at,
      end: 'done',
      usage: { answerTokens: 2_000 },
    }
  })
  return render({ turns })
}
