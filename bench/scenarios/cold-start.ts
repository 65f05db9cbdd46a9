/**
 * From nothing to a host that answers, and what a person sees meanwhile. In a fresh Neovim each time: `node -e 0` run to
 * its end; then the first request, which starts the host, until its answer is there (the handshake comes before it),
 * how long that call and `jobstart` in it hold the editor; in another fresh Neovim the default key, until the chat's
 * window is open and has the focus, and until nothing is left to do and Neovim waits for the next key.
 */
import { type Editor, startEditor } from '../editor.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { maximum, median } from '../statistics.ts'

export const coldStart: Scenario = {
  name: 'cold-start',
  title: "The host's cold start, and the window that does not wait for it",
  run: (rig) => withEachNeovim((line) => measure(rig, line)),
}

interface Start {
  bareNode: number
  answered: number
  call: number
  jobstart: number
}

/** Moments, or the time until them. */
interface Opening {
  focused: number
  settled: number
}

async function measure(rig: Rig, line: NeovimLine): Promise<Line[]> {
  const starts: Start[] = []
  const windows: Opening[] = []
  for (let round = 0; round < rig.settings.coldStarts; round += 1) {
    starts.push(await withFreshEditor(rig, line, startHost))
    windows.push(await withFreshEditor(rig, line, openWindow))
  }
  return rows(line, starts, windows)
}

async function withFreshEditor<Value>(
  rig: Rig,
  line: NeovimLine,
  use: (editor: Editor) => Promise<Value>,
): Promise<Value> {
  return rig.scope.nested(async (scope) => {
    const setup = await rig.setup(await rig.destination())
    const options = { nvim: await rig.neovim(line), folder: await rig.folder(), setup }
    return use(scope.own(await startEditor(options), (editor) => editor.stop()))
  })
}

async function startHost(editor: Editor): Promise<Start> {
  const bare = editor.told<number>('bare')
  await editor.lua(RUN_BARE_NODE, process.execPath)
  const bareNode = await bare
  const answered = editor.told<number>('answered')
  const held = await editor.lua<{ call: number; jobstart: number }>(FIRST_REQUEST)
  return { bareNode, answered: await answered, ...held }
}

async function openWindow(editor: Editor): Promise<Opening> {
  const opened = editor.told<Opening>('opened')
  await editor.lua(TELL_WHEN_OPENED)
  const keyAt = editor.input(' oo')
  const { focused, settled } = await opened
  return { focused: focused - keyAt, settled: settled - keyAt }
}

function rows(line: NeovimLine, starts: readonly Start[], windows: readonly Opening[]): Row[] {
  const column = (name: keyof Start) => starts.map((start) => start[name])
  const worst = (values: readonly number[]) => ({ max: maximum(values) })
  return [
    {
      figure: `${line}: first request → its answer`,
      unit: 'ms',
      ours: median(column('answered')),
      beside: [{ what: '`node -e 0`', value: median(column('bareNode')) }],
      target: { atMost: 110 },
    },
    {
      figure: `${line}: … of it \`jobstart\` holds the editor`,
      unit: 'ms',
      ours: median(column('jobstart')),
      also: { ...worst(column('jobstart')), 'the whole call': median(column('call')) },
      target: { atMost: 1 },
    },
    {
      figure: `${line}: key → window open and focused, host cold`,
      unit: 'ms',
      ours: median(windows.map(({ focused }) => focused)),
      also: {
        ...worst(windows.map(({ focused }) => focused)),
        settled: median(windows.map(({ settled }) => settled)),
      },
      target: { atMost: 10 },
    },
  ]
}

const RUN_BARE_NODE = `
  local node = ...
  local started = Bench.now()
  vim.fn.jobstart({ node, '-e', '0' }, { on_exit = function() Bench.tell('bare', Bench.now() - started) end })
`

const FIRST_REQUEST = `
  local jobstart, held = vim.fn.jobstart, 0
  vim.fn.jobstart = function(...)
    local began = Bench.now()
    local job = jobstart(...)
    held = Bench.now() - began
    return job
  end
  local began = Bench.now()
  require('ollama-remote.rpc').request('chat.close', { chat = 1 }, function()
    Bench.tell('answered', Bench.now() - began)
  end)
  return { call = Bench.now() - began, jobstart = held }
`

/** The last of the windows to be entered has the focus; SafeState comes when nothing is left to do and a key is waited for. */
const TELL_WHEN_OPENED = `
  local focused = 0
  vim.api.nvim_create_autocmd('WinEnter', { callback = function() focused = Bench.now() end })
  vim.api.nvim_create_autocmd('SafeState', {
    callback = function()
      local windows = vim.tbl_filter(function(window)
        return vim.bo[vim.api.nvim_win_get_buf(window)].filetype == 'ollama-chat'
      end, vim.api.nvim_list_wins())
      if windows[1] and vim.api.nvim_get_current_buf() ~= 1 then
        Bench.tell('opened', { focused = focused, settled = Bench.now() })
        return true
      end
    end,
  })
`
