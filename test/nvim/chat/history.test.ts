// The history of a conversation, all the way: variants, comparison, turns taken out, versions.
import { expect, test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { STEPWISE, sharedSshd, startWorld, type World } from './world.ts'

async function texts(world: World): Promise<string[]> {
  return (await world.turns()).map(({ text }) => text)
}

/** The numbers of variants, as the headings tell them. */
async function marks(world: World): Promise<string[]> {
  return (await world.transcript()).match(/‹\d+\/\d+›$/gm) ?? []
}

/** The key is typed in the transcript, and the texts waited for. */
async function press(world: World, keys: string, wanted: string[]): Promise<void> {
  await world.nvim.type(keys)
  await expect.poll(() => texts(world)).toEqual(wanted)
}

/** Two questions, the second answered twice. The cursor is left in the transcript. */
async function answeredTwice(world: World): Promise<void> {
  await world.open()
  for (const answer of ['First answer.', 'Second\nanswer.', 'Third\nanswer.']) world.ollama.script({ pieces: [answer] })
  await world.ask('one')
  await world.ask('two')
  await world.askAgain()
  await world.nvim.type('<C-w>k')
}

describeWithSshd('the history of a conversation', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('in its owner’s hand', (nvim) => {
    test('gr makes a variant, told while it comes; [v shows the former one, which is then what goes along', async () => {
      const world = await startWorld(nvim, sshd())
      await answeredTwice(world)
      expect(await marks(world)).toEqual(['‹2/2›'])
      await world.nvim.waitForScreen(/gpu:thinker:8b · ‹2\/2›/)
      await press(world, 'G[v', ['one', 'First answer.', 'two', 'Second\nanswer.'])
      expect(await marks(world)).toEqual(['‹1/2›'])
      expect(await world.nvim.lua('return vim.api.nvim_get_current_line()')).toMatch(/^## ◆ gpu:thinker:8b .* ‹1\/2›$/)
      world.ollama.script({ pieces: ['Third answer.'] })
      await world.nvim.type('<C-w>j')
      await world.ask('three')
      expect(
        world
          .chats()
          .at(-1)
          ?.messages.map(({ content }) => content),
      ).toEqual(['one', 'First answer.', 'two', 'Second\nanswer.', 'three'])
      world.ollama.script({ ...STEPWISE, pieces: ['Once ', 'more'] })
      const before = await world.ends()
      await world.nvim.type('<C-w>kgr')
      await world.waitForTranscript('Once')
      expect(await marks(world)).toEqual(['‹1/2›', '‹2/2›'])
      world.step(2)
      await world.ended(before)
      await press(world, 'gg]]]]]]]v', ['one', 'First answer.', 'two', 'Third\nanswer.'])
    })

    test('gD compares the two answers in diff mode, and q leads back', async () => {
      const world = await startWorld(nvim, sshd())
      await answeredTwice(world)
      await world.nvim.type('GgD')
      await world.nvim.waitForScreen(
        (screen) =>
          /‹1\/2› gpu:thinker:8b/.test(screen) && /‹2\/2› gpu:thinker:8b/.test(screen) && /Second/.test(screen),
      )
      const changed = await world.nvim.lua(
        `return vim.tbl_map(function(window)
           return vim.api.nvim_win_call(window, function() return { vim.fn.diff_hlID(1, 1) > 0, vim.fn.diff_hlID(2, 1) > 0 } end)
         end, vim.api.nvim_tabpage_list_wins(0))`,
      )
      expect(changed).toEqual([
        [true, false],
        [true, false],
      ])
      await world.nvim.type('q')
      await world.nvim.waitForLua('return #vim.api.nvim_list_tabpages() == 1')
      expect(await texts(world)).toEqual(['one', 'First answer.', 'two', 'Third\nanswer.'])
    })

    test('dd takes a turn out of what is sent; u brings it back, and with a count what was before', async () => {
      const world = await startWorld(nvim, sshd())
      await answeredTwice(world)
      await world.nvim.type('gg]]dd')
      await world.nvim.waitForScreen(/Take turn 2 out\? gpu:thinker:8b: First answer/)
      await press(world, '2<CR>', ['one', 'two', 'Third\nanswer.'])
      world.ollama.script({ pieces: ['Fourth.'] })
      await world.nvim.type('<C-w>j')
      await world.ask('three')
      expect(
        world
          .chats()
          .at(-1)
          ?.messages.map(({ content }) => content),
      ).toEqual(['one', 'two', 'Third\nanswer.', 'three'])
      await world.nvim.type('<C-w>k')
      await press(world, 'u', ['one', 'First answer.', 'two', 'Third\nanswer.'])
      await world.nvim.waitForScreen(/Version 2 of 3/)
      await press(world, '9u', ['one', 'First answer.', 'two', 'Second\nanswer.'])
      await press(world, '2<C-r>', ['one', 'two', 'Third\nanswer.', 'three', 'Fourth.'])
      expect(await world.nvim.messages()).not.toMatch(/E\d+:/)
    })
  })
})
