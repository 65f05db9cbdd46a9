// The same way as in a terminal, in a real Neovim without one: the transcript is printed as it streams.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { attach, type NeovimClient } from 'neovim'
import { neovimArguments, neovimEnvironment, type Scene } from './world.ts'

/** What Neovim tells of a request: the data of its User autocommands. */
interface RequestEvent {
  phase?: string
  ended?: string
  error?: { code: string; message: string; hint?: string }
}

interface Figures {
  tokens: string | undefined
  firstMs: number | undefined
  totalMs: number
}

/** `vim.log.levels.ERROR` */
const ERROR_LEVEL = 4

/** Asks one prompt and prints what comes; resolves to 0 when the answer was whole. */
export async function runHeadless(scene: Scene, prompt: string): Promise<number> {
  const { setup, description, patienceMs } = scene.world
  const args = [...neovimArguments(setup), '--embed', '--headless']
  const child = spawn(scene.nvim.path, args, { env: neovimEnvironment(scene), stdio: ['pipe', 'pipe', 'inherit'] })
  const nvim = attach({ reader: child.stdout, writer: child.stdin, options: { logger: quiet as never } })
  const giveUp = patienceMs === undefined ? undefined : AbortSignal.timeout(patienceMs)
  giveUp?.addEventListener('abort', () => child.kill('SIGKILL'), { once: true })
  try {
    process.stdout.write(`${description}\n\n`)
    return await converse(nvim, child, prompt)
  } catch (error) {
    if (giveUp?.aborted) throw new Error(`no answer within ${(patienceMs ?? 0) / 1000} s`)
    throw error
  } finally {
    await leave(nvim, child)
  }
}

async function leave(nvim: NeovimClient, child: ReturnType<typeof spawn>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  nvim.command('qall!').catch(() => {})
  const stuck = setTimeout(() => child.kill('SIGKILL'), 2_000)
  await gone
  clearTimeout(stuck)
}

async function converse(nvim: NeovimClient, child: ReturnType<typeof spawn>, prompt: string): Promise<number> {
  const died = once(child, 'exit').then(([code, signal]): never => {
    throw new Error(`Neovim ended early (${code ?? signal})`)
  })
  died.catch(() => {})
  const started = performance.now()
  const run = watch(nvim, started)
  await Promise.race([died, nvim.request('nvim_exec_lua', [PREPARE, [await nvim.channelId]])])
  await Promise.race([died, nvim.request('nvim_exec_lua', [FILL, [prompt]])])
  await nvim.request('nvim_input', ['<Esc><CR>'])
  const end = await Promise.race([died, run.finished])
  run.showRest()
  return report(end, run.figures())
}

/** Prints the transcript as its buffer grows, and resolves with how the request ended. */
function watch(nvim: NeovimClient, started: number) {
  let lines: string[] = ['']
  let printed = ''
  let firstWordAt: number | undefined
  const show = (last: boolean) => {
    // The last line is the place of the phase, never text.
    const text = lines.slice(0, -1).join('\n') + (last ? '\n' : '')
    if (text.startsWith(printed)) process.stdout.write(text.slice(printed.length))
    printed = text
  }
  let finish: (event: RequestEvent) => void
  const finished = new Promise<RequestEvent>((resolve) => {
    finish = resolve
  })
  nvim.on('notification', (method: string, args: unknown[]) => {
    if (method === 'try_lines') {
      const [first, last, changed] = args as [number, number, string[]]
      lines = [...lines.slice(0, first), ...changed, ...lines.slice(last)]
      show(false)
    }
    if (method === 'try_notify') {
      const [message, level] = args as [string, number]
      process.stderr.write(`${message}\n`)
      // What fails before a request begins has no other end than its message.
      if (level >= ERROR_LEVEL) finish({ ended: 'not sent' })
    }
    if (method !== 'try_request') return
    const [name, event] = args as [string, RequestEvent]
    if (event.phase === 'thinking' || event.phase === 'writing') firstWordAt ??= performance.now()
    if (name === 'OllamaRequestFinished') finish(event)
    // In an editor it would wait for its server; here nobody could end that.
    if (event.phase === 'waiting') finish({ ...event, ended: 'waiting' })
  })
  const figures = (): Figures => ({
    tokens: /"answer":(\d+)/.exec(lines.join('\n'))?.[1],
    firstMs: firstWordAt === undefined ? undefined : firstWordAt - started,
    totalMs: performance.now() - started,
  })
  return { finished, figures, showRest: () => show(true) }
}

function report(end: RequestEvent, figures: Figures): number {
  const seconds = (ms: number) => `${(ms / 1000).toFixed(2)} s`
  if (figures.firstMs !== undefined) {
    process.stdout.write(
      `timings: first word after ${seconds(figures.firstMs)} (Neovim's chat, host, SSH and model from cold), ` +
        `whole answer after ${seconds(figures.totalMs)}, ${figures.tokens ?? 'an unknown number of'} tokens\n`,
    )
  }
  if (end.ended === 'done') return 0
  const why = end.error ? `: ${end.error.code} ${end.error.message}\n${end.error.hint ?? ''}` : ''
  const what = end.ended === 'not sent' ? 'the prompt could not be sent' : `the answer ended as "${end.ended}"`
  process.stderr.write(`make try failed: ${what}${why}\n`)
  return 1
}

/** Opens the chat and tells this process what happens in it. Questions cannot be answered here: they are declined. */
const PREPARE = `
  local channel = ...
  vim.notify = function(message, level) vim.rpcnotify(channel, 'try_notify', message, level or vim.log.levels.INFO) end
  vim.ui.select = function(items, opts, choose)
    if opts.kind == 'ollama-model' then return choose(items[1], 1) end
    vim.notify((opts.prompt or '') .. ' (declined: there is no terminal to ask in; connect once with ssh)')
    choose(nil)
  end
  vim.fn.inputsecret = function(options)
    vim.notify(options.prompt .. ' (declined: there is no terminal to ask in; use a key or an agent)')
    return options.cancelreturn
  end
  vim.api.nvim_create_autocmd('User', {
    pattern = 'OllamaRequest*',
    callback = function(event) vim.rpcnotify(channel, 'try_request', event.match, event.data) end,
  })
  vim.cmd('Ollama chat')
  local transcript = vim.iter(vim.api.nvim_list_bufs()):find(function(buffer)
    return vim.startswith(vim.api.nvim_buf_get_name(buffer), 'ollama-chat://')
  end)
  vim.api.nvim_buf_attach(transcript, false, {
    on_lines = function(_, buffer, _, first, last, new_last)
      local lines = vim.api.nvim_buf_get_lines(buffer, first, new_last, false)
      vim.rpcnotify(channel, 'try_lines', first, last, lines)
    end,
  })
`

/** Puts the prompt into the buffer that has the focus; its key sends it. */
const FILL = `
  local text = ...
  vim.api.nvim_buf_set_lines(0, 0, -1, true, vim.split(text, '\\n', { plain = true }))
`

const quiet = { level: 'error', info() {}, debug() {}, warn() {}, error() {} }
