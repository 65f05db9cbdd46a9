-- The chat's two windows: shown, hidden, moved. Where they are put is layout.lua's, what befalls them from outside is
-- pane.lua's, their buffers are buffers.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local dress = require('ollama-remote.ui.dress')
local layout = require('ollama-remote.ui.layout')

--- Scrolls both windows to where they were; more may have come to a transcript that was left at its end.
---@param chat ollama.Chat
function M.restore_views(chat)
  for part, view in pairs(chat.views) do
    local window = chats.window(chat, part)
    if window then
      api.nvim_win_call(window, function()
        vim.fn.winrestview(view)
      end)
    end
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
  -- Neovim makes all of them equal when the option is set.
  local sizes = vim.fn.winrestcmd()
  vim.o.equalalways = equalalways
  vim.cmd(sizes)
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

--- Whether it has a tab page of its own, to be gone to.
---@param chat ollama.Chat
---@return boolean
local function has_tab(chat)
  return chat.layout == 'tab'
    and chats.window(chat, 'transcript') ~= nil
    and chats.window(chat, 'prompt') ~= nil
end

--- What can wait until the windows are there. Scripts for Markdown like to set spelling and numbers.
---@param chat ollama.Chat
local function settle(chat)
  require('ollama-remote.chat.buffers').set_filetypes(chat)
  for _, part in ipairs({ 'transcript', 'prompt' }) do
    local window = chats.window(chat, part)
    if window then
      local folds = part == 'transcript' and require('ollama-remote.transcript.folds')
      local disturbed = folds and folds.is_disturbed(window)
      dress.put_on(window, part, chat.layout)
      if folds and disturbed then
        folds.restore(chat)
      end
    end
  end
end

--- Remembers where both windows are scrolled to.
---@param chat ollama.Chat
function M.keep_views(chat)
  for _, part in ipairs({ 'transcript', 'prompt' }) do
    local window = chats.window(chat, part)
    if window then
      local view = api.nvim_win_call(window, vim.fn.winsaveview)
      view.at_end = view.lnum >= api.nvim_buf_line_count(chat.buffers[part])
      chat.views[part] = view
      if part == 'transcript' then
        require('ollama-remote.transcript.folds').keep(chat)
      end
    end
  end
end

--- Puts the chat's buffers into the windows of another one, which goes on unseen.
---@param chat ollama.Chat
---@param shown ollama.Chat
local function take_place(chat, shown)
  M.keep_views(shown)
  chat.windows, shown.windows, chat.origin = shown.windows, {}, shown.origin
  chat.layout, chat.former, shown.former = shown.layout, shown.former, nil
  for part, window in pairs(chat.windows) do
    api.nvim_win_set_buf(window, chat.buffers[part])
    dress.put_on(window, part, chat.layout)
  end
  layout.attach(chat)
  layout.fit_prompt(chat)
end

--- The living chat whose pane is in this tab page.
---@return ollama.Chat?
function M.shown_here()
  return vim.iter(chats.living()):find(M.is_shown)
end

---@param chat ollama.Chat
local function open_pane(chat)
  require('ollama-remote.ui.pane')
  require('ollama-remote.ui.guard')
  local shown = M.shown_here()
  M.hide(chat)
  require('ollama-remote.chat.buffers').ensure(chat)
  if shown then
    return take_place(chat, shown)
  end
  chat.origin = api.nvim_get_current_win()
  undisturbed(function()
    layout.open(chat)
  end)
end

--- Shows the chat here, where another one was if there was one, and goes to its prompt, mending whatever was closed or wiped.
---@param chat ollama.Chat
function M.show(chat)
  if not M.is_shown(chat) and not has_tab(chat) then
    open_pane(chat)
    require('ollama-remote.transcript.folds').redo(chat)
    M.restore_views(chat)
    require('ollama-remote.ui.winbar').refresh(chat)
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
  -- Either may be closed already.
  local mine = vim.tbl_values(chat.windows)
  local others = vim.tbl_filter(function(window)
    return not vim.list_contains(mine, window) and api.nvim_win_get_config(window).relative == ''
  end, api.nvim_tabpage_list_wins(0))
  if #others > 0 or chat.former or #api.nvim_list_tabpages() > 1 then
    return
  end
  chat.origin = api.nvim_open_win(layout.other_buffer(), false, { split = 'left', win = -1 })
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
  M.keep_views(chat)
  make_room(chat)
  leave(chat)
  for _, part in ipairs({ 'prompt', 'transcript' }) do
    local window = chats.window(chat, part)
    chat.windows[part] = nil
    if window and not (part == 'transcript' and layout.give_back(chat, window)) then
      pcall(api.nvim_win_close, window, true)
    end
  end
end

--- Shows the chat in another place, at its full size there; cursors stay where they are.
---@param chat ollama.Chat
function M.move(chat)
  local _, part = chats.of_buffer(api.nvim_get_current_buf())
  undisturbed(function()
    M.hide(chat)
  end)
  M.show(chat)
  if part == 'transcript' then
    api.nvim_set_current_win(chat.windows.transcript)
  end
end

return M
