-- A chat's history in a person's hands: turns taken back or out, variants, versions. What they are is the host's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local session = require('ollama-remote.chat.session')

---@class ollama.Here the turn that the cursor is in
---@field chat ollama.Chat
---@field window integer
---@field turn integer ordinal of its heading, from 1
---@field heading ollama.Turn
---@field on_heading boolean

--- The transcript's window that is meant: the current one, if it is one.
---@param chat? ollama.Chat
---@return integer?
local function window_of(chat)
  local current = api.nvim_get_current_win()
  if chat and api.nvim_win_get_buf(current) == chat.buffers.transcript then
    return current
  end
  return chat and chats.window(chat, 'transcript')
end

--- Turns cannot be told by their numbers until all are there.
---@param chat ollama.Chat
---@return boolean
local function is_whole(chat)
  if chat.drawing then
    message.whisper('The transcript is not whole yet: a moment')
  end
  return not chat.drawing
end

--- Where there is no turn, that is told.
---@return ollama.Here?
local function here()
  local chat = chats.current()
  local window = window_of(chat)
  if not chat or not window then
    message.whisper('No transcript is shown')
    return nil
  end
  if not is_whole(chat) then
    return nil
  end
  local row = api.nvim_win_get_cursor(window)[1] - 1
  local heading, turn = require('ollama-remote.transcript.decoration').turn_at(chat, row)
  if not heading or not turn then
    message.whisper('No turn is here')
    return nil
  end
  local closed = api.nvim_win_call(window, function()
    return vim.fn.foldclosed(row + 1)
  end)
  return {
    chat = chat,
    window = window,
    turn = turn,
    heading = heading,
    on_heading = heading.row == row or heading.row == closed - 1,
  }
end

--- An edit is of a turn that is shown, and of one at a time.
---@param chat? ollama.Chat
---@return boolean
local function is_editing(chat)
  if not chat or not chat.editing then
    return false
  end
  message.whisper('A turn is being edited in the prompt: send it, or give it up with <C-c>')
  return true
end

--- Takes the turn under the cursor into the prompt.
function M.take()
  local place = here()
  if not place or is_editing(place.chat) then
    return
  end
  local chat, seen = place.chat, place.heading.heading
  session.request(chat, 'chat.take', { turn = place.turn, seen = seen }, function(taken)
    if not chats.get(chat.id) then
      return
    end
    require('ollama-remote.ui').show(chat)
    local edited = { text = taken.text, replaces = taken.turn, seen = seen }
    require('ollama-remote.chat.prompt').begin_edit(chat, edited)
  end)
end

--- Shows an earlier or later version, `v:count1` on.
---@param by -1|1
function M.step(by)
  local chat = chats.current()
  if is_editing(chat) then
    return
  end
  session.request(chat, 'chat.step', { by = by * vim.v.count1 }, function(which)
    message.whisper(('Version %d of %d'):format(which.index, which.count))
  end)
end

--- Says so when a turn is the only one of its place, which its heading tells.
---@param place ollama.Here
---@return boolean
local function is_only(place)
  if place.heading.name:find('‹', 1, true) then
    return false
  end
  message.whisper('There is no other version of this turn')
  return true
end

--- Shows another variant of the turn under the cursor, `v:count1` on. The cursor waits on its heading, above which nothing
--- changes: so it is still there, and the view the same, when the transcript is written anew.
---@param by -1|1
function M.variant(by)
  local count = vim.v.count1
  local place = here()
  if not place or is_editing(place.chat) or is_only(place) then
    return
  end
  api.nvim_win_set_cursor(place.window, { place.heading.row + 1, 0 })
  local params = { turn = place.turn, seen = place.heading.heading, by = by * count }
  session.request(place.chat, 'chat.variant', params, function(which)
    message.whisper(('Version %d of %d of this turn'):format(which.index, which.count))
  end)
end

--- Shows in diff mode what differs between the shown variant and the one before it, or the one that a count names; one
--- that there is not is asked for.
function M.diff()
  local count = vim.v.count
  local place = here()
  if not place or is_only(place) then
    return
  end
  local params = { turn = place.turn, seen = place.heading.heading }
  session.request(place.chat, 'chat.variants', params, function(found)
    local diff = require('ollama-remote.chat.diff')
    if count == 0 then
      return diff.open(found.variants, found.shown, math.max(found.shown - 1, 1))
    end
    diff.choose(found.variants, found.shown, count)
  end)
end

--- The first words of a turn, by which a person knows it.
---@param chat ollama.Chat
---@param heading ollama.Turn
---@return string
local function first_words(chat, heading)
  local buffer = chat.buffers.transcript --[[@as integer]]
  local following = vim.iter(chat.outline.turns):find(function(turn)
    return turn.row > heading.row
  end)
  local last = following and following.row - 1 or api.nvim_buf_line_count(buffer) - 2
  local words = require('ollama-remote.transcript.foldtext').first_words(buffer, heading, last)
  return vim.fn.strcharpart(words, 0, 40)
end

---@param chat ollama.Chat
---@param turn integer
---@param seen string
local function remove(chat, turn, seen)
  session.request(chat, 'chat.delete', { turn = turn, seen = seen }, function()
    message.whisper('The turn was taken out; u in the transcript brings it back')
  end)
end

--- Asks, and takes a turn out. If another one stands there when the answer comes, it stays.
---@param chat ollama.Chat
---@param turn integer
---@param heading ollama.Turn
local function ask(chat, turn, heading)
  local words = first_words(chat, heading)
  require('ollama-remote.question').confirm({
    title = ('Take turn %d out? %s: %s'):format(turn, heading.name, words),
    yes = 'take it out',
    no = 'keep it',
    loses = true,
    on_yes = function()
      local now = chats.buffer(chat, 'transcript') and chat.outline.turns[turn]
      if not now or now.row ~= heading.row or first_words(chat, now) ~= words then
        return message.say('The chat has changed meanwhile, so the turn stays', 'warn')
      end
      remove(chat, turn, heading.heading)
    end,
  })
end

--- Takes out the turn whose heading the cursor is on, after a question.
function M.delete_here()
  local place = here()
  if not place or is_editing(place.chat) then
    return
  end
  if not place.on_heading then
    return message.whisper('On the heading of a turn, dd takes that turn out; [[ goes there')
  end
  ask(place.chat, place.turn, place.heading)
end

--- Takes out a turn by its number, or else the one that the cursor is in, after a question.
---@param number string
function M.delete(number)
  if number == '' then
    local place = here()
    if place and not is_editing(place.chat) then
      ask(place.chat, place.turn, place.heading)
    end
    return
  end
  local chat = chats.current()
  if chat and not is_whole(chat) then
    return
  end
  local turn = tonumber(number)
  local heading = chat and turn and chat.outline.turns[turn]
  if not chat or not turn or not heading then
    return message.say(('There is no turn %s'):format(number), 'error')
  end
  if not is_editing(chat) then
    ask(chat, turn, heading)
  end
end

return M
