-- The chat's two windows: shown, hidden, repaired. Their buffers are made in buffers.lua, their options are in dress.lua.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local dress = require('ollama-remote.dress')

local PROMPT_ROWS = { least = 3, most = 10 }

local group = api.nvim_create_augroup('ollama-remote.ui', { clear = true })

--- Grows and shrinks the prompt's window with its text.
---@param chat ollama.Chat
function M.fit_prompt(chat)
  local window = chats.window(chat, 'prompt')
  if not window then
    return
  end
  local rows = api.nvim_win_text_height(window, {}).all
  -- The winbar takes one row of the window.
  local height = math.max(PROMPT_ROWS.least, math.min(PROMPT_ROWS.most, rows)) + 1
  if api.nvim_win_get_height(window) ~= height then
    api.nvim_win_set_height(window, height)
  end
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param place table
local function open_window(chat, part, place)
  local window = api.nvim_open_win(chat.buffers[part], true, place)
  chat.windows[part] = window
  dress.put_on(window, part)
  dress.keep_others_out(window)
end

---@param chat ollama.Chat
local function open_windows(chat)
  local below = require('ollama-remote.config').resolved().split_preference == 'horizontal'
  local place = below and { split = 'below', win = -1, height = math.floor(vim.o.lines / 2) }
    or { split = 'right', win = -1, width = math.floor(vim.o.columns / 2) }
  open_window(chat, 'transcript', place)
  local under = { split = 'below', win = chat.windows.transcript, height = PROMPT_ROWS.least + 1 }
  open_window(chat, 'prompt', under)
  M.fit_prompt(chat)
end

--- Scrolls both windows to where they were; more may have come to a transcript that was left at its end.
---@param chat ollama.Chat
local function restore_views(chat)
  for part, view in pairs(chat.views) do
    api.nvim_win_call(chat.windows[part], function()
      vim.fn.winrestview(view)
    end)
  end
  if not chat.views.transcript or chat.views.transcript.at_end then
    require('ollama-remote.transcript').to_end(chat)
  end
end

--- Runs `action` without the windows around being made equal.
---@param action fun()
local function undisturbed(action)
  local equalalways = vim.o.equalalways
  vim.o.equalalways = false
  local ok, thrown = pcall(action)
  vim.o.equalalways = equalalways
  if not ok then
    error(thrown, 0)
  end
end

--- Whether both windows are there, in this tab page.
---@param chat ollama.Chat
---@return boolean
function M.is_shown(chat)
  local transcript, prompt = chats.window(chat, 'transcript'), chats.window(chat, 'prompt')
  local tab = api.nvim_get_current_tabpage()
  return transcript ~= nil
    and prompt ~= nil
    and api.nvim_win_get_tabpage(transcript) == tab
    and api.nvim_win_get_tabpage(prompt) == tab
end

--- What can wait until the windows are there. Scripts for Markdown like to set spelling and numbers.
---@param chat ollama.Chat
local function settle(chat)
  require('ollama-remote.buffers').set_filetypes(chat)
  for _, part in ipairs({ 'transcript', 'prompt' }) do
    local window = chats.window(chat, part)
    if window then
      dress.put_on(window, part)
    end
  end
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
local function keep_view(chat, part)
  local window = chats.window(chat, part)
  if window then
    chat.views[part] = api.nvim_win_call(window, vim.fn.winsaveview)
    chat.views[part].at_end = chat.views[part].lnum >= api.nvim_buf_line_count(chat.buffers[part])
    if part == 'transcript' then
      require('ollama-remote.folds').keep(chat)
    end
  end
end

--- Puts the chat's buffers into the windows of another one, which goes on unseen.
---@param chat ollama.Chat
---@param shown ollama.Chat
local function take_place(chat, shown)
  keep_view(shown, 'transcript')
  keep_view(shown, 'prompt')
  chat.windows, shown.windows, chat.origin = shown.windows, {}, shown.origin
  for part, window in pairs(chat.windows) do
    vim.wo[window].winfixbuf = false
    api.nvim_win_set_buf(window, chat.buffers[part])
    dress.put_on(window, part)
    dress.keep_others_out(window)
  end
  M.fit_prompt(chat)
end

--- The living chat whose pane is in this tab page.
---@return ollama.Chat?
function M.shown_here()
  return vim.iter(chats.living()):find(M.is_shown)
end

---@param chat ollama.Chat
local function open_pane(chat)
  local shown = M.shown_here()
  M.hide(chat)
  require('ollama-remote.buffers').ensure(chat)
  if shown then
    return take_place(chat, shown)
  end
  chat.origin = api.nvim_get_current_win()
  undisturbed(function()
    open_windows(chat)
  end)
end

--- Shows the chat here, where another one was if there was one, and goes to its prompt, mending whatever was closed or wiped.
---@param chat ollama.Chat
function M.show(chat)
  if not M.is_shown(chat) then
    open_pane(chat)
    require('ollama-remote.folds').redo(chat)
    restore_views(chat)
    require('ollama-remote.winbar').refresh(chat)
    vim.schedule(function()
      settle(chat)
    end)
  end
  api.nvim_set_current_win(chat.windows.prompt)
  chats.select(chat)
end

--- Neovim must keep a window: when the chat's are the only ones, another is opened beside them.
---@param chat ollama.Chat
local function make_room(chat)
  local mine = { chats.window(chat, 'transcript'), chats.window(chat, 'prompt') }
  local others = vim.tbl_filter(function(window)
    return not vim.list_contains(mine, window) and api.nvim_win_get_config(window).relative == ''
  end, api.nvim_tabpage_list_wins(0))
  if #others > 0 or #api.nvim_list_tabpages() > 1 then
    return
  end
  local listed = vim.tbl_filter(function(buffer)
    return vim.bo[buffer].buflisted and not vim.list_contains(vim.tbl_values(chat.buffers), buffer)
  end, api.nvim_list_bufs())
  local buffer = listed[1] or api.nvim_create_buf(true, false)
  chat.origin = api.nvim_open_win(buffer, false, { split = 'left', win = -1 })
end

--- Goes back to the window from which the chat was opened, if the cursor is in the chat.
---@param chat ollama.Chat
local function leave(chat)
  local origin = chat.origin
  local inside = chats.of_buffer(api.nvim_get_current_buf()) == chat
  if inside and origin and api.nvim_win_is_valid(origin) then
    api.nvim_set_current_win(origin)
  end
end

--- Closes the chat's windows; buffers, cursors and the draft stay.
---@param chat ollama.Chat
function M.hide(chat)
  -- Before either is closed, for then the other grows and scrolls.
  keep_view(chat, 'transcript')
  keep_view(chat, 'prompt')
  make_room(chat)
  leave(chat)
  for _, part in ipairs({ 'prompt', 'transcript' }) do
    local window = chats.window(chat, part)
    chat.windows[part] = nil
    if window then
      pcall(api.nvim_win_close, window, true)
    end
  end
end

---@type integer? the window in which :quit was given
local quitting = nil

--- Ends Neovim as `:quit` in its last window does, unless there is something to be written first.
---@param chat ollama.Chat
local function quit(chat)
  for _, buffer in ipairs(api.nvim_list_bufs()) do
    if vim.bo[buffer].modified and vim.bo[buffer].buftype == '' then
      local name = vim.fn.fnamemodify(api.nvim_buf_get_name(buffer), ':.')
      local text = ('E37: No write since last change in %s'):format(
        name ~= '' and name or '[No Name]'
      )
      require('ollama-remote.message').say(text .. '\n:qa! quits all the same', 'error')
      return M.show(chat)
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
  if not api.nvim_win_is_valid(window) or pcall(api.nvim_win_close, window, true) then
    return
  end
  chat.windows[part] = chat.windows[part] or window
  if was_quit then
    quit(chat)
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
    if not chat then
      return
    end
    keep_view(chat, 'transcript')
    keep_view(chat, 'prompt')
    local part = chat.windows.prompt == window and 'transcript' or 'prompt'
    local other = chat.windows[part]
    -- At once, so that a chat that is opened again before the other has gone gets windows of its own.
    chat.windows = {}
    if other then
      vim.schedule(function()
        close_other(chat, part, other, was_quit)
      end)
    end
  end,
})

return M
