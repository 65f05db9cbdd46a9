-- Keeps other buffers out of the chat's windows: one that gets into them is shown in another window instead. Unlike
-- 'winfixbuf', which refuses, so that `:edit` and pickers fail there.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local layout = require('ollama-remote.ui.layout')
local ui = require('ollama-remote.ui')

local group = api.nvim_create_augroup('ollama-remote.ui.guard', { clear = true })

--- The window for a buffer that got into the chat's: the one that the chat was opened from, or else any of the person's own.
---@param chat ollama.Chat
---@return integer
local function home(chat)
  local candidates = { chat.origin, vim.fn.win_getid(vim.fn.winnr('#')) }
  vim.list_extend(candidates, api.nvim_tabpage_list_wins(0))
  for _, window in pairs(candidates) do
    if layout.is_plain(window) then
      return window
    end
  end
  return api.nvim_open_win(0, false, { split = 'left', win = -1 })
end

--- Shows a buffer where it belongs, scrolled as it was.
---@param buffer integer
---@param window integer
---@param view table
local function show(buffer, window, view)
  if not pcall(api.nvim_win_set_buf, window, buffer) then
    -- A changed buffer stands there that may not be hidden.
    window = api.nvim_open_win(buffer, false, { split = 'above', win = window })
  end
  api.nvim_win_call(window, function()
    vim.fn.winrestview(view)
  end)
  api.nvim_set_current_win(window)
end

--- Puts the chat's own buffer back into its window.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param window integer
local function put_back(chat, part, window)
  api.nvim_win_set_buf(window, chat.buffers[part])
  require('ollama-remote.ui.dress').put_on(window, part, chat.layout)
  if part == 'transcript' then
    require('ollama-remote.transcript.folds').redo(chat)
  end
  ui.restore_views(chat)
  require('ollama-remote.ui.winbar').refresh(chat)
end

--- Puts a new buffer where one was emptied, with all that stood there.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param emptied integer
function M.renew(chat, part, emptied)
  local window, file = chat.windows[part], chat.state.file
  if not window or not api.nvim_win_is_valid(window) then
    return
  end
  if chat.read_only then
    -- With it its chat ends, and then the windows around get their room back; what stands in the file now is read.
    api.nvim_buf_delete(emptied, { force = true })
    return vim.schedule(function()
      require('ollama-remote.saved.viewer').open(file)
    end)
  end
  local buffers = require('ollama-remote.chat.buffers')
  buffers.unname(emptied)
  buffers.ensure(chat)
  layout.attach(chat)
  put_back(chat, part, window)
  api.nvim_buf_delete(emptied, { force = true })
  buffers.set_filetypes(chat)
  require('ollama-remote.ui.dress').put_on(window, part, chat.layout)
  local session = require('ollama-remote.chat.session')
  session.when_ready(chat, require('ollama-remote.message').tell)
end

--- The window is the person's own, and so it is the chat that goes.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param buffer integer
---@param view table
local function make_way(chat, part, buffer, view)
  local window = chat.windows.transcript --[[@as integer]]
  chat.former, chat.windows.transcript = nil, nil
  if part == 'prompt' then
    show(buffer, window, view)
    api.nvim_win_close(chat.windows.prompt, true)
    chat.windows.prompt = nil
  end
  ui.hide(chat)
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param window integer
local function send_home(chat, part, window)
  local buffer = api.nvim_win_get_buf(window)
  local view = api.nvim_win_call(window, vim.fn.winsaveview)
  if chats.of_buffer(buffer) then
    return put_back(chat, part, window)
  end
  if chat.layout == 'current' then
    return make_way(chat, part, buffer, view)
  end
  -- First, for a buffer that is shown nowhere may be wiped.
  show(buffer, home(chat), view)
  put_back(chat, part, window)
  if chat.layout == 'float' then
    ui.hide(chat)
  end
end

---@param chat ollama.Chat
local function look(chat)
  for part, window in pairs(chat.windows) do
    local own = chats.buffer(chat, part)
    if not api.nvim_win_is_valid(window) or not own then
      chat.windows[part] = nil
    elseif api.nvim_win_get_buf(window) ~= own then
      send_home(chat, part, window)
    end
  end
end

api.nvim_create_autocmd({ 'BufEnter', 'BufWinEnter' }, {
  group = group,
  callback = function(event)
    local chat, part = chats.of_window(api.nvim_get_current_win())
    if chat and chat.buffers[part] ~= event.buf then
      -- Whoever put it there may not have finished: a jump still sets the cursor.
      vim.schedule(function()
        look(chat)
      end)
    end
  end,
})

--- A hidden chat's buffer that got into a window of the person's: the window gets its own back, and the chat is shown.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param window integer
local function show_whole(chat, part, window)
  local is_there = api.nvim_win_is_valid(window)
    and api.nvim_win_get_buf(window) == chat.buffers[part]
  if not is_there or chats.window(chat, 'transcript') or chats.window(chat, 'prompt') then
    return
  end
  local former = api.nvim_win_call(window, function()
    return vim.fn.bufnr('#')
  end)
  local is_own = former > 0 and vim.bo[former].buflisted and not chats.of_buffer(former)
  api.nvim_win_set_buf(window, is_own and former or layout.other_buffer())
  ui.show(chat)
  api.nvim_set_current_win(chat.windows[part])
end

-- As when :qall is refused: Neovim goes to what is unsaved, wherever the cursor is.
api.nvim_create_autocmd('BufWinEnter', {
  group = group,
  callback = function(event)
    local chat, part = chats.of_buffer(event.buf)
    local window = api.nvim_get_current_win()
    if chat and part and not chat.read_only and not chats.of_window(window) then
      vim.schedule(function()
        show_whole(chat, part, window)
      end)
    end
  end,
})

-- For when the chat's buffer comes back.
api.nvim_create_autocmd('BufWinLeave', {
  group = group,
  callback = function(event)
    local chat = chats.of_buffer(event.buf)
    if chat then
      ui.keep_views(chat)
    end
  end,
})

return M
