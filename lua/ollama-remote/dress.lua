-- How the chat's windows look and behave: their options. Where they are and when they come is ui.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

local group = api.nvim_create_augroup('ollama-remote.dress', { clear = true })

---@type table<'transcript'|'prompt', table<string, any>>
local WINDOW_OPTIONS = {
  transcript = {
    statuscolumn = "%{%v:lua.require'ollama-remote.decoration'.bar()%}",
    -- Nothing is seen of it. Without it the bar's width counts as 0 between a new line and the next redraw, and a
    -- paragraph that is scrolled in then is wrapped in the middle of its words.
    number = true,
    numberwidth = 1,
    foldtext = "v:lua.require'ollama-remote.foldtext'.text()",
    foldmethod = 'manual',
    foldenable = true,
    foldminlines = 0,
    foldcolumn = '0',
    fillchars = 'fold: ,eob: ',
    conceallevel = 2,
    concealcursor = 'nvic',
    -- Between the two windows of one pane a rule is enough.
    statusline = '%#WinSeparator#%{repeat("─", winwidth(0))}',
    winhighlight = 'Folded:OllamaRemoteFold',
    scrolloff = 0,
    -- Else nothing is seen of a paragraph that is taller than the window.
    smoothscroll = true,
    -- Else the first row of such a paragraph's rest begins with `<<<`.
    list = true,
    listchars = 'precedes:…,tab:  ',
  },
  prompt = { winfixheight = true, statuscolumn = ' ', fillchars = 'eob: ' },
}

local BOTH_WINDOWS = {
  number = false,
  relativenumber = false,
  signcolumn = 'no',
  spell = false,
  list = false,
  wrap = true,
  linebreak = true,
  breakindent = true,
  cursorline = false,
  colorcolumn = '',
}

--- Keeps other buffers out of a window; at Neovim's start only after VimEnter, when netrw goes through all windows and
--- splits those that are fixed.
---@param window integer
function M.keep_others_out(window)
  if vim.v.vim_did_enter == 1 then
    api.nvim_set_option_value('winfixbuf', true, { win = window, scope = 'local' })
    return
  end
  api.nvim_create_autocmd('VimEnter', {
    group = group,
    once = true,
    callback = vim.schedule_wrap(function()
      if api.nvim_win_is_valid(window) and chats.of_buffer(api.nvim_win_get_buf(window)) then
        M.keep_others_out(window)
      end
    end),
  })
end

--- Sets the options that make a window the transcript's or the prompt's.
---@param window integer
---@param part 'transcript'|'prompt'
function M.put_on(window, part)
  for option, value in pairs(vim.tbl_extend('force', BOTH_WINDOWS, WINDOW_OPTIONS[part])) do
    api.nvim_set_option_value(option, value, { win = window, scope = 'local' })
  end
end

return M
