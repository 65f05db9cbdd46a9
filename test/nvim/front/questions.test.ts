import { join } from 'node:path'
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

const SECRET = { question: 1, kind: 'secret', title: 'Passphrase of ~/.ssh/id_ed25519', detail: 'for ada@gpu.example' }
/** Of another title: what stands on the screen of the first is not taken for it. */
const NEXT = { ...SECRET, question: 3, title: 'Passphrase of ~/.ssh/id_rsa' }
const KEY = {
  question: 2,
  kind: 'choose',
  title: 'The key of gpu.example is not known',
  detail: 'ssh-ed25519\nSHA256:uNiVztksCsDhcc0u9e8BrABKyrtJrNBiQlzGyZ0HgYk',
  choices: ['Trust and keep', 'Refuse'],
}

async function ask(front: Front, ...questions: unknown[]): Promise<void> {
  await front.open()
  // Not waited for: Neovim 0.10 answers nothing while a list is shown.
  await front.tellHost('fake.do', { steps: questions.map((question) => ['ask', question]) })
}

describeWithNeovim('questions', (nvim) => {
  test('a secret is typed without echo, and leaves no trace', async () => {
    const front = await startFront(nvim)
    await ask(front, SECRET)
    await front.nvim.waitForScreen(/Passphrase of ~\/\.ssh\/id_ed25519:/)
    expect(front.nvim.screen()).toMatch(/for ada@gpu\.example/)
    await front.nvim.type('hunter2')
    await front.nvim.waitForScreen(/id_ed25519: \*{7}/)
    await front.nvim.type('<CR>')
    expect(await front.waitForRequests('question.answer')).toEqual([{ question: 1, value: 'hunter2' }])
    await front.nvim.waitForScreen((screen) => !screen.includes('Passphrase'))
    const traces = await front.nvim.lua<string>(
      `local file = ...
      vim.o.shada = [[!,'100,<50,s10,h]]
      vim.o.shadafile = file
       vim.cmd('wshada!')
      local shada = vim.fn.readblob(file)
      local all = { vim.fn.execute('messages'), vim.fn.execute('history all'), vim.fn.execute('registers') }
      all[#all + 1] = type(shada) == 'string' and shada or table.concat(vim.tbl_map(string.char, shada or {}))
      for _, buffer in ipairs(vim.api.nvim_list_bufs()) do
        vim.list_extend(all, vim.api.nvim_buf_get_lines(buffer, 0, -1, false))
      end
      return table.concat(all, '\\n')`,
      join(front.nvim.folder, 'test.shada'),
    )
    expect(traces).not.toContain('hunter2')
  })

  test('a secret that is given up is answered without a value; an empty one is a value', async () => {
    const front = await startFront(nvim)
    await ask(front, SECRET, NEXT)
    await front.nvim.waitForScreen(/id_ed25519:/)
    await front.nvim.type('abc<Esc>')
    expect(await front.waitForRequests('question.answer')).toEqual([{ question: 1 }])
    await front.nvim.waitForScreen(/id_rsa:/)
    await front.nvim.type('<CR>')
    expect((await front.waitForRequests('question.answer', 2))[1]).toEqual({ question: 3, value: '' })
  })

  test('a choice shows its fingerprint in full', async () => {
    const front = await startFront(nvim, { columns: 80, rows: 24 })
    await ask(front, KEY)
    const screen = await front.nvim.waitForScreen(/1: Trust and keep\s+2: Refuse/)
    expect(screen).toContain('SHA256:uNiVztksCsDhcc0u9e8BrABKyrtJrNBiQlzGyZ0HgYk')
    await front.nvim.type('1<CR>')
    expect(await front.waitForRequests('question.answer')).toEqual([{ question: 2, value: 'Trust and keep' }])
    await front.nvim.waitForScreen((text) => !text.includes('SHA256'))
  })

  test('several questions come one after the other', async () => {
    const front = await startFront(nvim)
    await ask(front, KEY, SECRET)
    await front.nvim.waitForScreen(/1: Trust and keep/)
    expect(front.nvim.screen()).not.toContain('Passphrase')
    await front.nvim.type('2<CR>')
    await front.nvim.waitForScreen(/Passphrase of/)
    await front.nvim.type('x<CR>')
    expect(await front.waitForRequests('question.answer', 2)).toEqual([
      { question: 2, value: 'Refuse' },
      { question: 1, value: 'x' },
    ])
  })

  test('whoever is typing is not interrupted in the middle of a word', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type('ihel')
    await front.perform(['ask', SECRET])
    await front.nvim.type('lo')
    await front.nvim.waitForScreen(/Passphrase of/)
    expect(await front.promptText()).toBe('hello')
    await front.nvim.type('s<CR>')
    expect(await front.waitForRequests('question.answer')).toEqual([{ question: 1, value: 's' }])
    await front.nvim.type(' world')
    await front.nvim.waitForScreen(/hello world/)
  })

  test('a question waits for the end of a command that is being typed', async () => {
    const front = await startFront(nvim)
    await front.open()
    await front.nvim.type(':let g:x = ')
    await front.perform(['ask', SECRET])
    await front.nvim.type('7<CR>')
    await front.nvim.waitForScreen(/Passphrase of/)
    expect(await front.nvim.lua('return vim.g.x')).toBe(7)
  })

  test('a question that is withdrawn closes, and is not answered; one that waited is not put', async () => {
    const front = await startFront(nvim)
    await ask(front, SECRET, { ...SECRET, question: 3 })
    await front.nvim.waitForScreen(/id_ed25519:/)
    await front.nvim.waitForLua('return _G.fake_done == 1')
    await front.nvim.type('half')
    await front.perform(['withdraw', 3], ['withdraw', 1])
    await front.nvim.waitForScreen((screen) => !screen.includes('Passphrase'))
    // Whoever types on means the secret, to the end of its line.
    await front.nvim.type(' of a secret<CR>')
    await front.nvim.type('istill here<Esc>')
    await front.nvim.waitForScreen(/still here/)
    expect(await front.promptText()).toBe('still here')
    expect(await front.requests('question.answer')).toEqual([])
  })

  test('what is typed while another question may follow reaches no buffer, and is dropped when it does', async () => {
    const front = await startFront(nvim, { script: { hold: ['question.answer'], more: true } })
    await ask(front, SECRET)
    await front.nvim.waitForScreen(/id_ed25519:/)
    await front.nvim.type('wrong<CR>')
    await front.waitForRequests('question.answer')
    await front.nvim.type('iblind secret<CR>')
    await front.tellHost('fake.do', { steps: [['ask', { ...SECRET, question: 3, detail: 'Wrong passphrase' }]] })
    await front.tellHost('fake.release', { method: 'question.answer' })
    await front.nvim.waitForScreen(/Wrong passphrase[\s\S]*id_ed25519: *$/m)
    await front.nvim.type('right')
    await front.nvim.waitForScreen(/id_ed25519: \*{5} *$/m)
    await front.nvim.type('<CR>')
    expect((await front.waitForRequests('question.answer', 2))[1]).toEqual({ question: 3, value: 'right' })
    expect(await front.promptText()).toBe('')
    const traces = await front.nvim.lua<string>(
      "return vim.fn.execute('messages') .. vim.fn.execute('history all') .. vim.fn.execute('registers')",
    )
    expect(traces).not.toContain('blind')
  })

  test('what is typed while nothing follows after all arrives where it was meant for', async () => {
    const front = await startFront(nvim, { script: { hold: ['question.answer'] } })
    await ask(front, SECRET)
    await front.nvim.waitForScreen(/id_ed25519:/)
    await front.nvim.type('right<CR>')
    await front.waitForRequests('question.answer')
    await front.nvim.type('igo <LT>on<Left>')
    await front.tellHost('fake.release', { method: 'question.answer' })
    await front.nvim.waitForScreen(/go <on/)
    await front.nvim.type('x')
    await front.nvim.waitForScreen(/go <oxn/)
  })

  test('what is typed is held for a while only, and a host that dies holds nothing', async () => {
    const front = await startFront(nvim, { script: { hold: ['question.answer'] } })
    await ask(front, SECRET, NEXT)
    await front.nvim.waitForScreen(/id_ed25519:/)
    await front.nvim.type('right<CR>')
    await front.waitForRequests('question.answer')
    await front.nvim.type('ilater<Esc>')
    await front.nvim.waitForScreen(/later/)
    await front.nvim.waitForScreen(/id_rsa:/)
    await front.nvim.type('right<CR>')
    await front.waitForRequests('question.answer', 2)
    await front.nvim.type('A too')
    await front.tellHost('fake.do', { steps: [['exit', 3]] })
    await front.nvim.waitForScreen(/later too/)
  })
})
