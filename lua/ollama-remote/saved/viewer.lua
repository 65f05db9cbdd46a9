-- A saved chat that is only read: a buffer in a window beside the living chat, which can be taken up as a living one.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

local group = api.nvim_create_augroup('ollama-remote.saved.viewer', { clear = true })

--- The living chat's transcript window, beside which it is read.
---@return integer?
local function neighbour()
  local shown = require('ollama-remote.ui').shown_here()
  return shown and chats.window(shown, 'transcript')
end

--- Beside a chat that is a column, three columns share the screen: the room comes from the person's windows too.
---@param beside integer
---@return table
local function column(beside)
  local width = api.nvim_win_get_width(beside)
  local third = math.min(width, math.floor(vim.o.columns / 3))
  api.nvim_win_set_width(beside, third * 2 + 1)
  return { split = 'right', win = -1, width = third }
end

--- The highest window of those in which saved chats are read here.
---@return integer?
local function other_viewer()
  local tab, highest = api.nvim_get_current_tabpage(), nil
  for _, chat in ipairs(chats.all()) do
    local window = chat.read_only and chats.window(chat, 'transcript')
    if window and api.nvim_win_get_tabpage(window) == tab then
      local is_higher = not highest
        or api.nvim_win_get_height(window) > api.nvim_win_get_height(highest)
      highest = is_higher and window or highest
    end
  end
  return highest
end

---@param window integer
---@return boolean
local function is_float(window)
  return api.nvim_win_get_config(window).relative ~= ''
end

--- Where its window goes: under another one that is read, else beside the chat, over it where that floats.
---@return table place for nvim_open_win
local function place()
  local beside, other = neighbour(), other_viewer()
  if other and not is_float(other) then
    local height = math.floor(api.nvim_win_get_height(other) / 2)
    return { split = 'below', win = other, height = height }
  end
  if not beside then
    return { split = 'right', win = -1, width = math.floor(vim.o.columns / 2) }
  end
  local config = api.nvim_win_get_config(beside)
  if is_float(beside) then
    return vim.tbl_extend('force', config, { zindex = (config.zindex or 50) + 1 })
  end
  local width = api.nvim_win_get_width(beside)
  if width > vim.o.columns * 2 / 3 then
    return { split = 'right', win = beside, width = math.floor(width / 2) }
  end
  return column(beside)
end

--- The living chat's window that has made room for those that are read, and its width before.
---@type { window: integer, width: integer }?
local narrowed = nil

--- Gives that window its width back, when none is read any more.
local function give_room_back()
  vim.schedule(function()
    local was = narrowed
    if other_viewer() then
      return
    end
    narrowed = nil
    if was and api.nvim_win_is_valid(was.window) and not is_float(was.window) then
      api.nvim_win_set_width(was.window, was.width)
    end
  end)
end

--- The chat's end as a viewer: its buffer was wiped, with the window that showed it.
---@param chat ollama.Chat
local function ended(chat)
  chat.buffers, chat.windows = {}, {}
  chats.forget(chat)
  require('ollama-remote.chat.events').status_changed()
  -- Also when the answer to its loading is still to come.
  if rpc.is_running() then
    rpc.request('chat.close', { chat = chat.id }, function() end)
  end
end

---@param chat ollama.Chat
local function open_window(chat)
  chat.origin = api.nvim_get_current_win()
  local beside = neighbour()
  if beside and not other_viewer() then
    narrowed = { window = beside, width = api.nvim_win_get_width(beside) }
  end
  local buffers = require('ollama-remote.chat.buffers')
  local buffer = buffers.open_viewer(chat)
  local equalalways = vim.o.equalalways
  vim.o.equalalways = false
  local window = api.nvim_open_win(buffer, true, place())
  vim.o.equalalways = equalalways
  chat.windows.transcript = window
  local dress = require('ollama-remote.ui.dress')
  local layout = is_float(window) and 'float' or nil
  dress.put_on(window, 'transcript', layout)
  buffers.set_filetypes(chat)
  dress.put_on(window, 'transcript', layout)
  vim.wo[window].winfixbuf = true
  vim.bo[buffer].bufhidden = 'wipe'
  api.nvim_create_autocmd('WinClosed', {
    group = group,
    pattern = tostring(window),
    once = true,
    callback = give_room_back,
  })
  api.nvim_create_autocmd('BufWipeout', {
    group = group,
    buffer = buffer,
    callback = function()
      if chat.read_only and chats.get(chat.id) then
        ended(chat)
      end
    end,
  })
end

--- Closes the viewer; its chat stays in its file.
---@param chat ollama.Chat
function M.close(chat)
  require('ollama-remote.ui').hide(chat)
end

---@param opened table
local function tell_problems(opened)
  local problems = opened.problems or {}
  if #problems > 0 then
    local title = ('%s could not be read wholly as it was meant:'):format(opened.file)
    message.say(title .. '\n' .. table.concat(problems, '\n'), 'warn')
  end
end

--- Brings the transcript's window to where something was found, now or when the text is there.
---@param chat ollama.Chat
---@param match? ollama.Match
local function look(chat, match)
  local window = chats.window(chat, 'transcript')
  if not match or not window then
    return
  end
  local place = require('ollama-remote.saved.place')
  api.nvim_set_current_win(window)
  if chat.drawing then
    chat.drawing.places[window] = { view = place.awaited(match), from_end = 0 }
  elseif chat.known then
    place.look(window, match)
  else
    chat.awaited = place.awaited(match)
  end
end

--- Shows a living chat.
---@param chat ollama.Chat
---@param match? ollama.Match where it is to be shown
function M.show_living(chat, match)
  require('ollama-remote.chat').open(chat)
  if match then
    vim.cmd.stopinsert()
    look(chat, match)
  end
end

--- Opens a saved chat to be read. One that is open already is gone to.
---@param file string
---@param match? ollama.Match where it is to be read
function M.open(file, match)
  for _, chat in ipairs(chats.all()) do
    if chat.state.file == file then
      if not chat.read_only then
        return M.show_living(chat, match)
      elseif chats.window(chat, 'transcript') then
        api.nvim_set_current_win(chat.windows.transcript)
        return look(chat, match)
      end
    end
  end
  require('ollama-remote.highlights')
  local chat = chats.new(true)
  chat.state.file = file
  open_window(chat)
  look(chat, match)
  require('ollama-remote.ui.winbar').refresh(chat)
  session.when_known(chat, function(failure, opened)
    if not chats.get(chat.id) then
      return
    end
    if failure then
      M.close(chat)
      return message.tell(failure)
    end
    tell_problems(opened or {})
  end)
end

--- The viewer that the cursor is in.
---@return ollama.Chat?
local function here()
  local chat = chats.of_buffer(api.nvim_get_current_buf())
  return chat and chat.read_only and chat or nil
end

--- Makes the chat that is read a living one, in the place of the one that is shown.
---@param chat ollama.Chat
---@param opened table
local function come_to_life(chat, opened)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return
  end
  chat.read_only, chat.key = nil, opened.key
  vim.bo[buffer].bufhidden = 'hide'
  require('ollama-remote.keys').come_to_life(buffer)
  session.set_state(chat, opened)
  require('ollama-remote.ui').hide(chat)
  local shown = require('ollama-remote.ui').shown_here()
  require('ollama-remote.ui').show(chat)
  require('ollama-remote.chat.draft').opened(chat, opened.draft)
  require('ollama-remote.chat.ending').drop_blank(shown)
end

local take_up

--- Its file is written by somebody else: that stays so, but a copy can be gone on with.
---@param chat ollama.Chat
---@param failure ollama.Error
local function offer_copy(chat, failure)
  local question = {
    title = message.of(failure) .. '\nGo on with a copy?',
    yes = 'go on with a copy',
    no = 'only read it',
    on_yes = function()
      if chats.get(chat.id) then
        take_up(chat, true)
      end
    end,
  }
  vim.schedule(function()
    require('ollama-remote.question').confirm(question)
  end)
end

---@param chat ollama.Chat
---@param copy? true
function take_up(chat, copy)
  if chat.taking then
    return
  end
  chat.taking = true
  session.when_known(chat, function(unknown)
    if unknown then
      chat.taking = nil
      return message.tell(unknown)
    end
    rpc.request('chat.take_up', { chat = chat.id, copy = copy }, function(failure, opened)
      chat.taking = nil
      if failure and failure.code == 'CHAT_IN_USE' and not copy then
        return offer_copy(chat, failure)
      elseif failure then
        return message.tell(failure)
      end
      come_to_life(chat, opened)
    end)
  end)
end

--- Goes on with the chat that is read here.
function M.take_up()
  local chat = here()
  if not chat then
    return message.whisper('No saved chat is read here')
  end
  take_up(chat)
end

--- Closes the viewer that the cursor is in.
function M.close_here()
  local chat = here()
  if chat then
    M.close(chat)
  end
end

return M
