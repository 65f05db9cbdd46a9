-- What befalls a chat's windows from outside: one of them is closed, or another buffer gets into it.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local layout = require('ollama-remote.ui.layout')
local ui = require('ollama-remote.ui')

local group = api.nvim_create_augroup('ollama-remote.ui.pane', { clear = true })

---@type integer? the window in which :quit was given
local quitting = nil

--- Ends Neovim as `:quit` in its last window does, unless there is something to be written first.
---@param chat ollama.Chat
local function quit(chat)
  for _, buffer in ipairs(api.nvim_list_bufs()) do
    if vim.bo[buffer].modified and vim.list_contains({ '', 'acwrite' }, vim.bo[buffer].buftype) then
      local name = vim.fn.fnamemodify(api.nvim_buf_get_name(buffer), ':.')
      local text = ('E37: No write since last change in %s'):format(
        name ~= '' and name or '[No Name]'
      )
      require('ollama-remote.message').say(text .. '\n:wqa saves it, :qa! does not', 'error')
      return ui.show(chat)
    end
  end
  vim.cmd.quit()
end

--- The two windows are one pane: when one goes, the other goes too, out of Neovim even if that was meant.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param window integer
---@param was_quit boolean
local function close_other(chat, part, window, was_quit)
  local there = api.nvim_win_is_valid(window)
  -- Its buffer may have been wiped meanwhile: then it is the person's.
  if not there or api.nvim_win_get_buf(window) ~= chat.buffers[part] then
    return
  end
  if layout.give_back(chat, window) or pcall(api.nvim_win_close, window, true) then
    return
  end
  chat.windows[part] = chat.windows[part] or window
  if was_quit then
    quit(chat)
  end
end

---@param chat ollama.Chat
---@param window integer that was the chat's
---@param was_quit boolean
local function lose(chat, window, was_quit)
  ui.keep_views(chat)
  local part = chat.windows.prompt == window and 'transcript' or 'prompt'
  local other = chat.windows[part]
  -- At once, so that a chat that is opened again before the other has gone gets windows of its own.
  chat.windows = {}
  if other then
    vim.schedule(function()
      close_other(chat, part, other, was_quit)
    end)
  end
end

api.nvim_create_autocmd('QuitPre', {
  group = group,
  callback = function()
    quitting = api.nvim_get_current_win()
  end,
})

api.nvim_create_autocmd('WinClosed', {
  group = group,
  callback = function(event)
    local window = tonumber(event.match) --[[@as integer]]
    local chat = chats.of_window(window)
    local was_quit = quitting == window
    quitting = nil
    if chat then
      lose(chat, window, was_quit)
    end
  end,
})

return M
