-- Where the chat's two windows are put: the places that `split_preference` names. When they come and go is ui.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local float = require('ollama-remote.ui.float')

---@alias ollama.Layout 'vertical'|'horizontal'|'float'|'tab'|'current'

---@class ollama.Former what stood in a window that the chat has taken
---@field buffer integer
---@field view table
---@field fixed boolean its 'winfixheight', which no buffer has of its own

local PROMPT_ROWS = { least = 3, most = 10 }

--- On a screen of fewer rows the transcript needs them more.
local LOW_SCREEN = 20

--- Whether the windows of the person's own can be split off, or taken.
---@param window integer
---@return boolean
function M.is_plain(window)
  return api.nvim_win_is_valid(window)
    and api.nvim_win_get_config(window).relative == ''
    and not vim.wo[window].winfixbuf
    and not vim.wo[window].previewwindow
    and vim.bo[api.nvim_win_get_buf(window)].buftype ~= 'quickfix'
    and not chats.of_window(window)
    and not chats.of_buffer(api.nvim_win_get_buf(window))
end

--- How many rows of text the prompt has when there is little in it.
---@return integer
local function least_rows()
  return vim.o.lines < LOW_SCREEN and 1 or PROMPT_ROWS.least
end

--- How high the prompt's window is to be: as its text, within limits.
---@param window integer
---@return integer
local function prompt_height(window)
  local rows = api.nvim_win_text_height(window, {}).all
  -- The winbar takes one row of the window.
  return math.max(least_rows(), math.min(PROMPT_ROWS.most, rows)) + 1
end

--- Grows and shrinks the prompt's window with its text.
---@param chat ollama.Chat
function M.fit_prompt(chat)
  local window = chats.window(chat, 'prompt')
  if not window then
    return
  end
  local height = prompt_height(window)
  if chat.layout == 'float' then
    return float.place(chat, height)
  end
  if api.nvim_win_get_height(window) ~= height then
    api.nvim_win_set_height(window, height)
  end
end

--- Gives buffers that have come into the pane what its place needs of them.
---@param chat ollama.Chat
function M.attach(chat)
  if chat.layout == 'float' then
    float.map_steps(chat)
  end
end

---@param chat ollama.Chat
---@param place table of nvim_open_win
---@return integer window
local function split(chat, place)
  return api.nvim_open_win(chat.buffers.transcript, true, place)
end

--- Opens the window of the transcript, by layout.
---@type table<ollama.Layout, fun(chat: ollama.Chat): integer>
local OPENERS = {
  vertical = function(chat)
    return split(chat, { split = 'right', win = -1, width = math.floor(vim.o.columns / 2) })
  end,
  horizontal = function(chat)
    return split(chat, { split = 'below', win = -1, height = math.floor(vim.o.lines / 2) })
  end,
  float = function(chat)
    M.attach(chat)
    return split(chat, float.places(least_rows() + 1).transcript)
  end,
  tab = function(chat)
    vim.cmd('tab split')
    local window = api.nvim_get_current_win()
    vim.wo[window].winfixbuf = false
    api.nvim_win_set_buf(window, chat.buffers.transcript)
    return window
  end,
  current = function(chat)
    local window = api.nvim_get_current_win()
    chat.former = {
      buffer = api.nvim_win_get_buf(window),
      view = vim.fn.winsaveview(),
      fixed = vim.wo[window].winfixheight,
    }
    api.nvim_win_set_buf(window, chat.buffers.transcript)
    return window
  end,
}

--- The layout to open in now. A window that cannot be taken is left as it is.
---@return ollama.Layout
local function wanted()
  local layout = require('ollama-remote.config').resolved().split_preference
  if layout == 'current' and not M.is_plain(api.nvim_get_current_win()) then
    return 'vertical'
  end
  return layout
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param window integer
local function take(chat, part, window)
  chat.windows[part] = window
  require('ollama-remote.ui.dress').put_on(window, part, chat.layout)
end

--- Opens both windows where the person likes them.
---@param chat ollama.Chat
function M.open(chat)
  chat.layout, chat.former = wanted(), nil
  local transcript = OPENERS[chat.layout](chat)
  take(chat, 'transcript', transcript)
  local under = { split = 'below', win = transcript, height = least_rows() + 1 }
  if chat.layout == 'float' then
    under = float.places(least_rows() + 1).prompt
  end
  take(chat, 'prompt', api.nvim_open_win(chat.buffers.prompt, true, under))
  M.fit_prompt(chat)
  if chat.layout == 'horizontal' then
    -- Neovim gives less where several windows have to make room.
    local rest = math.floor(vim.o.lines / 2) - api.nvim_win_get_height(chat.windows.prompt) - 1
    api.nvim_win_set_height(transcript, math.max(1, rest))
  end
end

--- Gives a window that the chat has taken back to what stood there.
---@param chat ollama.Chat
---@param window integer
---@return boolean given
function M.give_back(chat, window)
  local former = chat.former
  if not former or not api.nvim_win_is_valid(window) then
    return false
  end
  chat.former = nil
  local there = api.nvim_buf_is_valid(former.buffer)
  api.nvim_win_set_buf(window, there and former.buffer or M.other_buffer())
  vim.wo[window].winfixheight = former.fixed
  if there then
    api.nvim_win_call(window, function()
      vim.fn.winrestview(former.view)
    end)
  end
  return true
end

--- A buffer to be shown where the chat was: one of the person's own, or an empty one.
---@return integer
function M.other_buffer()
  local listed = vim.tbl_filter(function(buffer)
    return vim.bo[buffer].buflisted and not chats.of_buffer(buffer)
  end, api.nvim_list_bufs())
  return listed[1] or api.nvim_create_buf(true, false)
end

api.nvim_create_autocmd('VimResized', {
  group = api.nvim_create_augroup('ollama-remote.ui.layout', { clear = true }),
  callback = function()
    for _, chat in ipairs(chats.all()) do
      M.fit_prompt(chat)
    end
  end,
})

return M
