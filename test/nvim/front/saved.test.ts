import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { CHAT, type Front, startFront } from './front.ts'

const heading = (name: string) => `## ◆ ${name} · 2026-11-20 14:02:31\n\n`

function book(title: string, text: string, more: Record<string, unknown> = {}) {
  return {
    file: `${title}_qwen_20261120-140231.txt`,
    title,
    model: 'gpu:qwen',
    created: '2026-10-01 08:00:00',
    changed: new Date(2026, 10, 20, 14, 2, 31).getTime(),
    bytes: 2_000,
    text: `${heading('You')}${text}\n\n${heading('gpu:qwen')}an answer on ${text}\n\n`,
    ...more,
  }
}

const LIBRARY = [book('locks', 'a deadlock'), book('sorting', 'a heap')]

async function load(front: Front, title: string): Promise<void> {
  await front.nvim.command(`Ollama load ${title}`)
  await front.nvim.waitForLua(
    `local chat = ${CHAT}
     return chat and chat.read_only and chat.known and chat.state.title == ...`,
    title,
  )
}

describeWithNeovim('saved chats', (nvim) => {
  test('one is picked and read beside the living chat, which is untouched', async () => {
    const front = await startFront(nvim, { columns: 150, script: { library: LIBRARY } })
    await front.open()
    await front.nvim.type('ia draft<Esc> ol')
    await front.nvim.waitForScreen(/1: locks +gpu:qwen +2026-11-20 14:02[\s\S]*2: sorting/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/an answer on a heap/)
    const screen = await front.nvim.waitForScreen(/sorting.* <CR> goes on · q closes/)
    expect(screen).toMatch(/a draft/)
    await front.nvim.type('ix')
    expect(await front.nvim.lua('return vim.bo.modifiable')).toBe(false)
    await front.nvim.type('<Esc>q')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 3')
    await front.waitForRequests('chat.close')
    expect(await front.promptText()).toBe('a draft')
    expect(await front.nvim.lua(`return #require('ollama-remote.chats').all()`)).toBe(1)
  })

  test('<CR> there goes on with it in the place of the living one, its draft in the prompt', async () => {
    const library = [book('locks', 'a deadlock', { draft: { text: 'and then?' } })]
    const front = await startFront(nvim, { script: { library } })
    await front.open()
    await load(front, 'locks')
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua(`return ${CHAT}.id == 2 and not ${CHAT}.read_only`)
    await front.nvim.waitForScreen(/and then\?/)
    expect(await front.nvim.lua('return #vim.api.nvim_tabpage_list_wins(0)')).toBe(3)
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/You said: and then/)
    expect(await front.requests('chat.send')).toEqual([{ chat: 2, text: 'and then?' }])
    await front.nvim.type('<C-w>kgg[[')
    expect(await front.nvim.lua("return vim.fn.maparg('q', 'n')")).toBe('')
    // Nothing stood in the living one.
    expect(await front.requests('chat.close')).toEqual([{ chat: 1 }])
    expect(await front.nvim.lua(`return #require('ollama-remote.chats').all()`)).toBe(1)
    expect(await front.nvim.lua("return vim.fn.maparg('ge', 'n')")).toMatch(/ollama-edit/)
  })

  test('<CR> is told of in a narrow window too', async () => {
    const front = await startFront(nvim, { columns: 80, script: { library: LIBRARY } })
    await front.open()
    await load(front, 'locks')
    await front.nvim.waitForScreen(/│ locks.* <CR> goes on *$/m)
    expect(await front.nvim.lua('return vim.api.nvim_win_get_width(0)')).toBeLessThan(32)
  })

  test('one that another Neovim has stays a reading copy, and says what can be done', async () => {
    const refusal = { code: 'CHAT_IN_USE', message: 'Another Neovim has it', hint: 'End it there first.' }
    const front = await startFront(nvim, { script: { library: LIBRARY, fail: { 'chat.take_up': refusal } } })
    await load(front, 'locks')
    await front.nvim.type('<CR>')
    await front.nvim.waitForScreen(/Another Neovim has it\s+End it there first\.[\s\S]*1: Yes, go on with a copy/)
    await front.nvim.type('1<CR>')
    await front.waitForRequests('chat.take_up', 2)
    expect(await front.requests('chat.take_up')).toEqual([{ chat: 1 }, { chat: 1, copy: true }])
    expect(await front.nvim.lua(`return ${CHAT}.read_only`)).toBe(true)
  })

  test('several are read at once, the same one only once; closing a window ends it', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await load(front, 'locks')
    await load(front, 'sorting')
    await front.nvim.waitForLua('return #vim.api.nvim_tabpage_list_wins(0) == 3')
    await front.nvim.command('Ollama load locks')
    await front.nvim.waitForLua(`return ${CHAT}.state.title == 'locks'`)
    expect(await front.requests('chat.load')).toHaveLength(2)
    await front.nvim.command('close')
    await front.waitForRequests('chat.close')
    await front.nvim.waitForLua(`return #require('ollama-remote.chats').all() == 1`)
  })

  test('those that are read stand under one another; the chat has its width back after the last', async () => {
    const front = await startFront(nvim, { columns: 150, script: { library: LIBRARY } })
    await front.open()
    const width = "return vim.api.nvim_win_get_width(require('ollama-remote.chats').living()[1].windows.transcript)"
    const whole = await front.nvim.lua(width)
    await load(front, 'locks')
    const first = await front.nvim.lua<[number, number]>('return vim.api.nvim_win_get_position(0)')
    await front.nvim.command('Ollama load sorting')
    await front.nvim.waitForLua(`return ${CHAT}.state.title == 'sorting'`)
    const second = await front.nvim.lua<[number, number]>('return vim.api.nvim_win_get_position(0)')
    expect(second[1]).toBe(first[1])
    expect(second[0]).toBeGreaterThan(first[0])
    const narrow = await front.nvim.lua(width)
    await front.nvim.type('<C-w>kq')
    await front.waitForRequests('chat.close')
    expect(await front.nvim.lua(width)).toBe(narrow)
    await front.nvim.command("lua vim.api.nvim_set_current_win(vim.fn.win_getid(vim.fn.winnr('$')))")
    await front.nvim.type('q')
    await front.waitForRequests('chat.close', 2)
    await front.nvim.waitForLua(`local whole = ... ${width} == whole`, whole)
  })

  test('what could not be understood of a file is told once; a file that is gone, too', async () => {
    const library = [book('old', 'a word', { problems: ['Turn 2 has no time.', 'The last line is torn.'] })]
    const front = await startFront(nvim, { script: { library } })
    await load(front, 'old')
    await front.nvim.waitForScreen(/could not be read wholly[\s\S]*Turn 2 has no time/)
    await front.nvim.type('<CR>')
    await front.nvim.command('Ollama load nothing')
    await front.nvim.waitForScreen(/No saved chat is called "nothing"/)
  })

  test('a new host opens a reading copy as one', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await load(front, 'locks')
    await front.nvim.command('Ollama restart')
    await front.waitForRequests('chat.load', 2)
    await front.nvim.waitForLua(`return ${CHAT}.known`)
    expect(await front.requests('chat.open')).toEqual([])
  })

  test(':Ollama search finds by the text; a host that is asked for what nobody wants any more is told', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await front.nvim.type(':Ollama search deadlock<CR>')
    const screen = await front.nvim.waitForScreen(/1: locks/)
    expect(screen).not.toMatch(/sorting/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/an answer on a deadlock/)
    expect(await front.requests('saved.list')).toMatchObject([{ query: 'deadlock' }])
  })

  test('what is found in the text is seen in the list, and opened where it stands', async () => {
    const lines = Array.from({ length: 200 }, (_, index) => `line ${index}`)
    const text = [...lines.slice(0, 90), 'of the Größe here', ...lines.slice(91)].join('\n')
    const match = { line: 93, text: 'of the Größe here', column: 7 }
    const front = await startFront(nvim, {
      columns: 120,
      script: { library: [book('locks', text, { match }), book('sorting', 'x')] },
    })
    await front.nvim.type(':Ollama search line<CR>')
    await front.nvim.waitForScreen(/1: locks +2026-11-20 +of the Größe here/)
    await front.nvim.type('1<CR>')
    const where = "{ vim.fn.line('.'), vim.fn.col('.'), vim.fn.line('w0') < 93, vim.fn.line('w$') > 93 }"
    await front.nvim.waitForLua(`return ${CHAT} and ${CHAT}.known and vim.fn.line('.') == 93`)
    expect(await front.nvim.lua(`return ${where}`)).toEqual([93, 8, true, true])
    // It is open: its window is gone to, and looks there again.
    await front.nvim.type('gg<C-w>p')
    await front.nvim.type(':Ollama search line<CR>')
    await front.nvim.waitForScreen(/1: locks/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForLua("return vim.fn.line('.') == 93")
    expect(await front.requests('chat.load')).toHaveLength(1)
    // So does the living chat that it becomes.
    await front.nvim.type('<CR>')
    await front.nvim.waitForLua(`return ${CHAT}.read_only == nil and ${CHAT}.buffers.prompt`)
    await front.nvim.lua(`${CHAT}.state.file = ...; vim.cmd('Ollama toggle')`, 'locks_qwen_20261120-140231.txt')
    await front.nvim.type(':Ollama search line<CR>')
    await front.nvim.waitForScreen(/1: locks/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForLua(`return vim.api.nvim_get_current_buf() == ${CHAT}.buffers.transcript`)
    expect(await front.nvim.lua(`return ${where}`)).toEqual([93, 8, true, true])
  })

  test(':Ollama load completes what chats are called, newest first, and of equal names the files', async () => {
    const twin = { ...book('locks', 'other'), file: 'locks_gemma_20260101-000000.txt', changed: 1 }
    const library = [book('heaps of stones', 'x', { changed: 3 }), book('locks', 'y', { changed: 2 }), twin]
    const front = await startFront(nvim, { script: { library } })
    const complete = (line: string) => front.nvim.lua<string[]>("return vim.fn.getcompletion(..., 'cmdline')", line)
    // Nothing is known of the first time; it is asked for meanwhile.
    expect(await complete('Ollama load ')).toEqual([])
    await front.waitForRequests('saved.list')
    await expect
      .poll(() => complete('Ollama load '))
      .toEqual(['heaps of stones', 'locks_qwen_20261120-140231', 'locks_gemma_20260101-000000'])
    expect(await complete('Ollama delete heaps of s')).toEqual(['stones'])
    await front.nvim.command('Ollama load heaps of stones')
    await front.nvim.waitForLua(`return ${CHAT} and ${CHAT}.known and ${CHAT}.state.title == 'heaps of stones'`)
  })

  test('clearing says how many, how big and how old, and can be undone', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await front.nvim.type(' ox')
    await front.nvim.waitForScreen(/Move 2 saved chats to the trash\? \(2\.0 MB, of 2026-10-01 to 2026-11-26\)/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/2 saved chats went to the trash; :Ollama undo-clear brings them back/)
    await front.nvim.type(':Ollama undo-clear<CR>')
    await front.nvim.waitForScreen(/2 saved chats came back/)
    await front.nvim.type(':Ollama undo-clear<CR>')
    await front.nvim.waitForScreen(/Nothing to bring back/)
    await front.nvim.type(' ox')
    await front.nvim.waitForScreen(/1: No, keep them\s+2: Yes, move them/)
    await front.nvim.type('1<CR>:echo "left alone"<CR>')
    await front.nvim.waitForScreen(/left alone/)
    expect(await front.requests('saved.clear')).toHaveLength(1)
  })

  test('one is renamed, and one removed when that is confirmed', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await front.nvim.type(':Ollama rename<CR>')
    await front.nvim.waitForScreen(/1: locks/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForScreen(/Rename the saved chat: locks/)
    await front.nvim.type('<C-u>mutexes<CR>')
    await front.nvim.waitForScreen(/Renamed to mutexes\.txt/)
    await front.nvim.type(':Ollama delete sorting<CR>')
    await front.nvim.waitForScreen(/Move "sorting" to the trash\?/)
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/is in the trash/)
    expect(await front.requests('saved.delete')).toEqual([{ files: [LIBRARY[1]?.file] }])
    expect(await front.nvim.lua("return vim.fn.getcompletion('Ollama load mut', 'cmdline')")).toEqual(['mutexes'])
  })

  test('a living chat is renamed, though its file is not known here yet', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.send('why?')
    await front.waitForEnd()
    await front.nvim.type(':Ollama rename locks<CR>')
    await front.nvim.waitForScreen(/Renamed to locks_/)
    expect(await front.requests('chat.rename')).toEqual([{ chat: 1, name: 'locks' }])
    expect(await front.requests('chat.save')).toEqual([])
  })

  test('clearing tells of those that stay since they are open', async () => {
    const library = [book('locks', 'a deadlock'), book('sorting', 'a heap', { open: 'elsewhere' })]
    const front = await startFront(nvim, { script: { library } })
    await front.nvim.type(' ox')
    await front.nvim.waitForScreen(
      /Move 1 saved chat to the trash\? \(1\.0 MB, of 2026-10-01 to 2026-11-26; 1 more is open and stays/,
    )
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/1 saved chat went to the trash/)
    await front.nvim.type(' ox')
    await front.nvim.waitForScreen(/Only open chats are saved, and they stay/)
  })

  test(':Ollama chats lists the living ones first, and shows the chosen one', async () => {
    const front = await startFront(nvim, { script: { library: LIBRARY } })
    await front.open()
    await front.sendHeld()
    await front.nvim.command('Ollama new')
    await front.nvim.waitForLua(`return ${CHAT}.id == 2 and ${CHAT}.known`)
    await front.nvim.type(':Ollama chats<CR>')
    await front.nvim.waitForScreen(/1: ● +hold this .*writing[\s\S]*2: +New chat[\s\S]*3: +locks/)
    await front.nvim.type('1<CR>')
    await front.nvim.waitForLua(`return ${CHAT}.id == 1`)
    await front.nvim.waitForScreen(/1\/2/)
  })
})
