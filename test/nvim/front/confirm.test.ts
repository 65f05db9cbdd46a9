// What is asked before something is done: the order of the answers, and what giving none means.
import { expect, test } from 'vitest'
import { describeWithNeovim } from '../../support/real-parts.ts'
import { type Front, startFront } from './front.ts'

/** Notes what is shown, and leaves the answer to the test. */
const SELECT = `
  _G.shown, _G.ran = {}, {}
  vim.ui.select = function(items, options, on_choice)
    table.insert(_G.shown, vim.list_extend({ options.prompt }, items))
    _G.answer = on_choice
  end
  function _G.asked(loses)
    require('ollama-remote.question').confirm({
      title = 'Delete it?',
      yes = 'delete it',
      no = 'keep it',
      loses = loses,
      on_yes = function() table.insert(_G.ran, 'yes') end,
      on_no = function() table.insert(_G.ran, 'no') end,
    })
  end`

const HOST_KEY = { question: 1, kind: 'choose', title: 'Trust it?', choices: ['No, refuse it', 'Yes, trust it'] }

describeWithNeovim('a yes or no', (nvim) => {
  const shown = (front: Front) => front.nvim.lua<string[][]>('return _G.shown')
  const ran = (front: Front) => front.nvim.lua<string[]>('return _G.ran')

  test('has the yes last where something goes by it, and first where nothing does', async () => {
    const front = await startFront(nvim, { init: SELECT })
    await front.nvim.lua('_G.asked(true) _G.asked(false)')
    expect(await shown(front)).toEqual([
      ['Delete it?', 'No, keep it', 'Yes, delete it'],
      ['Delete it?', 'Yes, delete it', 'No, keep it'],
    ])
  })

  test.each(['nil', "'No, keep it'", "'something else'"])('answered by %s is a no', async (answer) => {
    const front = await startFront(nvim, { init: SELECT })
    await front.nvim.lua(`_G.asked(true) _G.answer(${answer})`)
    expect(await ran(front)).toEqual(['no'])
  })

  test('is answered once, whatever a picker does', async () => {
    const front = await startFront(nvim, { init: SELECT })
    await front.nvim.lua("_G.asked(true) _G.answer('Yes, delete it') _G.answer('Yes, delete it') _G.answer(nil)")
    expect(await ran(front)).toEqual(['yes'])
  })

  test('waits for a question of the host to be answered', async () => {
    const front = await startFront(nvim, { init: SELECT })
    await front.open()
    await front.perform(['ask', HOST_KEY])
    await front.nvim.waitForLua('return #_G.shown == 1')
    await front.nvim.lua('_G.asked(true)')
    expect(await shown(front)).toEqual([['Trust it?', 'No, refuse it', 'Yes, trust it']])
    await front.nvim.lua('_G.answer(nil)')
    await front.nvim.waitForLua('return #_G.shown == 2')
    expect(await front.waitForRequests('question.answer')).toEqual([{ question: 1 }])
    await front.nvim.lua("_G.answer('Yes, delete it')")
    expect(await ran(front)).toEqual(['yes'])
  })
})
