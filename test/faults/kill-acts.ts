// What a person does in a chat that is about to be killed: types, sends, edits an earlier turn, gives the chat another name.
import { setTimeout as delay } from 'node:timers/promises'
import { CHAT } from '../nvim/front/front.ts'
import type { NeovimDriver } from '../support/nvim-driver.ts'
import type { Random } from './random.ts'

export interface Hands {
  nvim: NeovimDriver
  random: Random
  /** A word that comes nowhere else. */
  word(kind: string): string
}

/** Keys of its own for what has to come in its turn among what is typed. */
export const KEYS = `
  local function chat() return ${CHAT} end
  local keys = {
    -- Into the prompt, from wherever it is.
    ['<F8>'] = function() vim.api.nvim_set_current_win(chat().windows.prompt) end,
    -- As \`ge\` in the transcript does; an answer that comes is stopped, since it would hinder it.
    ['<F5>'] = function()
      local turns = chat().outline.turns
      if #turns == 0 or chat().editing then return end
      require('ollama-remote.actions').run('stop-all')
      local window = chat().windows.transcript
      vim.api.nvim_set_current_win(window)
      vim.api.nvim_win_set_cursor(window, { turns[math.max(#turns - 1, 1)].row + 1, 0 })
      require('ollama-remote.actions').run('edit')
    end,
    -- As \`:w\` does in a chat that has a name.
    ['<F6>'] = function() require('ollama-remote.rpc').request('chat.save', { chat = chat().id }, function() end) end,
    ['<F7>'] = function() require('ollama-remote.chat.prompt').end_edit(chat()) end,
  }
  for key, run in pairs(keys) do vim.keymap.set('n', key, run) end`

export async function begin({ nvim, word }: Hands): Promise<void> {
  await nvim.type(`i${word('q')}<Esc><CR>A`)
}

/** @returns whether it is one that much is written down for, amid which a kill is worth its while */
export async function act(hands: Hands, isSaved: boolean): Promise<boolean> {
  const { nvim, random, word } = hands
  const chance = random.next()
  if (chance < 0.04) return await edit(nvim)
  const isRenamed = isSaved && chance < 0.08
  const isKept = isSaved && chance >= 0.08 && chance < 0.1
  const isSent = chance > 0.9
  if (isRenamed) await nvim.type(`<Esc>:Ollama rename ${word('n')}<CR><F8>A`)
  else if (isKept) await nvim.type('<Esc><F6><F8>A')
  else await nvim.type(isSent ? `${word('q')}<Esc><CR>A` : `${word('d')} `)
  return isSent || isRenamed || isKept
}

/** What is taken comes a moment later; typing meanwhile would go into the midst of it. */
async function edit(nvim: NeovimDriver): Promise<true> {
  await nvim.type('<Esc><F5>')
  for (let look = 0; look < 20 && !(await nvim.lua(`return ${CHAT}.editing ~= nil`)); look++) await delay(10)
  await nvim.type('<F8>A')
  return true
}

/** Has nothing in the prompt. */
export async function tidy(nvim: NeovimDriver): Promise<void> {
  await nvim.type('<Esc><F8><F7>ggdG')
  await nvim.waitForLua(`return require('ollama-remote.chat.prompt').text(${CHAT}) == '' and not ${CHAT}.editing`)
}
