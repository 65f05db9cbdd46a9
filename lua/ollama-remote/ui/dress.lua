-- How the chat's windows look and behave: their options. Where they are and when they come is ui.lua's.
local M = {}

local api = vim.api

---@type table<'transcript'|'prompt', table<string, any>>
local WINDOW_OPTIONS = {
  transcript = {
    statuscolumn = "%{%v:lua.require'ollama-remote.transcript.decoration'.bar()%}",
    -- Nothing is seen of it. Without it the bar's width counts as 0 between a new line and the next redraw, and a
    -- paragraph that is scrolled in then is wrapped in the middle of its words.
    number = true,
    numberwidth = 1,
    foldtext = "v:lua.require'ollama-remote.transcript.foldtext'.text()",
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

--- Floats have a border instead of a rule.
local FLOATS = { statusline = '' }

--- Sets the options that make a window the transcript's or the prompt's.
---@param window integer
---@param part 'transcript'|'prompt'
---@param layout? ollama.Layout
function M.put_on(window, part, layout)
  local own = layout == 'float' and FLOATS or {}
  for option, value in pairs(vim.tbl_extend('force', BOTH_WINDOWS, WINDOW_OPTIONS[part], own)) do
    api.nvim_set_option_value(option, value, { win = window, scope = 'local' })
  end
end

return M
