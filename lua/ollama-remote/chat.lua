-- What a person does with a chat. Windows are ui.lua's, text is prompt.lua's and transcript.lua's, truth is the host's.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

---@param chat ollama.Chat?
---@return boolean
local function is_running(chat)
  return chat ~= nil and (chat.state.phase ~= 'idle' or #chat.pending > 0)
end

--- Shows the chat's windows at once, without the host.
---@param chat? ollama.Chat without one, the one that is meant
---@return ollama.Chat
function M.show(chat)
  chat = chat or chats.current_or_new()
  require('ollama-remote.highlights')
  require('ollama-remote.ui').show(chat)
  return chat
end

--- Opens the chat; what it needs of the host comes after the windows.
---@param chat? ollama.Chat without one, the one that is meant
---@return ollama.Chat
function M.open(chat)
  chat = M.show(chat)
  vim.schedule(function()
    session.when_ready(chat, message.tell)
  end)
  return chat
end

--- Begins another chat in the place of the one that is shown; that goes on, unless nothing stands in it: then it is that one.
---@param text? string its first prompt
function M.new(text)
  local current = chats.current_living()
  local is_blank = current and require('ollama-remote.chat.ending').is_blank(current)
  local chat = is_blank and current or chats.new()
  if not text then
    return M.open(chat)
  end
  M.submit(M.show(chat), { text = text })
end

function M.toggle()
  local chat = chats.current_living()
  local ui = require('ollama-remote.ui')
  if chat and ui.is_shown(chat) then
    return ui.hide(chat)
  end
  M.open()
end

--- Shows the chat in another place, which is remembered.
---@param layout ollama.Layout
function M.arrange(layout)
  require('ollama-remote.config').choose('split_preference', layout)
  local chat = chats.current_living()
  local ui = require('ollama-remote.ui')
  if chat and ui.is_shown(chat) then
    return ui.move(chat)
  end
  M.open()
end

---@param chat ollama.Chat
---@param pending ollama.Pending
local function settle(chat, pending)
  chat.pending = vim.tbl_filter(function(other)
    return other ~= pending
  end, chat.pending)
  for _, other in ipairs(chat.pending) do
    other.after = #chat.outline.turns
  end
  session.refresh(chat)
end

---@param chat ollama.Chat
---@param pending ollama.Pending
---@param failure ollama.Error
local function give_back(chat, pending, failure)
  settle(chat, pending)
  if failure.code == 'CHAT_NO_TURN' then
    -- There is no turn any more to be edited: what was written is a prompt as any.
    pending.replaces = nil
  end
  if chats.get(chat.id) then
    require('ollama-remote.chat.prompt').give_back(chat, pending)
    require('ollama-remote.chat.draft').returned(chat)
  elseif chats.buffer(chat, 'prompt') then
    -- It is being ended, and may go on. What its file gets of it is the host's to know.
    require('ollama-remote.chat.prompt').give_back(chat, pending)
  end
  message.tell(failure)
end

--- Whether it stands in the transcript already, of which a host that died just then could not tell.
---@param chat ollama.Chat
---@param pending ollama.Pending
---@return boolean
local function is_shown(chat, pending)
  local turns = chat.outline.turns
  for ordinal = #turns, pending.after + 1, -1 do
    if turns[ordinal].role == 'user' then
      local lines = require('ollama-remote.transcript.turns').lines(chat, ordinal).lines
      return vim.trim(table.concat(lines, '\n', 2)) == vim.trim(pending.text)
    end
  end
  return false
end

--- Hands a prompt to the host. Until the host has it, it is kept here, and comes back when it cannot be sent.
---@param chat ollama.Chat
---@param pending ollama.Pending
function M.submit(chat, pending)
  table.insert(chat.pending, pending)
  require('ollama-remote.chat.draft').changed(chat)
  session.refresh(chat)
  session.when_ready(chat, function(failure)
    if pending.taken_back then
      return
    end
    pending.after = #chat.outline.turns
    if failure then
      return give_back(chat, pending, failure)
    end
    pending.posted = true
    local params = { chat = chat.id, text = pending.text, replaces = pending.replaces }
    params.seen = pending.seen
    rpc.request('chat.send', params, function(refusal)
      if refusal and not (refusal.code == 'HOST_EXITED' and is_shown(chat, pending)) then
        return give_back(chat, pending, refusal)
      end
      settle(chat, pending)
    end)
    require('ollama-remote.chat.draft').sent(chat)
  end)
end

--- Sends what stands in the prompt.
function M.send()
  local chat = chats.current_living()
  local pending = chat and require('ollama-remote.chat.prompt').take(chat)
  if not chat or not pending then
    return message.whisper('Nothing to send')
  end
  if not is_running(chat) then
    require('ollama-remote.transcript').to_end(chat)
  end
  M.submit(chat, pending)
end

--- Gives back the prompts that the host does not have yet: they wait for a model to be chosen, or for the chat to be known.
---@param chat ollama.Chat
local function take_back(chat)
  for _, pending in ipairs(vim.list_slice(chat.pending)) do
    if not pending.posted then
      pending.taken_back = true
      give_back(chat, pending, { code = 'CANCELLED', message = 'Taken back before it was sent' })
    end
  end
  session.stop_choosing(chat)
end

--- Ends what runs. A prompt that still waited for its server comes back.
---@param chat ollama.Chat
---@param all? boolean the prompts behind it come back too
local function stop(chat, all)
  if all or chat.state.phase == 'idle' then
    take_back(chat)
  end
  if not is_running(chat) then
    return
  end
  session.request(chat, 'chat.stop', { all = all }, function(stopped)
    if stopped.taken and chats.get(chat.id) then
      require('ollama-remote.chat.prompt').give_back(chat, { text = stopped.taken })
      require('ollama-remote.chat.draft').returned(chat)
      message.whisper('The prompt was taken back')
    elseif stopped.back then
      message.whisper('Stopped before its first word: the former answer is back')
    end
  end)
end

--- Stops the answer; in the prompt of an edit it gives the edit up; else `<C-c>` is what it always is.
function M.stop()
  local chat, part = chats.of_buffer(vim.api.nvim_get_current_buf())
  if chat and part == 'prompt' and chat.editing then
    return require('ollama-remote.chat.prompt').end_edit(chat)
  end
  local current = chats.current()
  if current and is_running(current) then
    return stop(current)
  end
  local absent = package.loaded['ollama-remote.chat.absent']
  if current and absent and absent.is_pulling(current) then
    return absent.cancel(current)
  end
  if vim.api.nvim_get_mode().mode:find('^i') then
    return vim.cmd.stopinsert()
  end
  message.whisper('Nothing runs')
end

--- Stops the answer, and takes back every prompt that waits.
function M.stop_all()
  local chat = chats.current()
  if not chat or not is_running(chat) then
    return message.whisper('Nothing runs')
  end
  stop(chat, true)
end

--- Goes on with the last answer, which was cut, or has its server tried now.
function M.resume()
  session.request(chats.current(), 'chat.resume', {})
end

function M.again()
  session.request(chats.current(), 'chat.again', {})
end

--- Starts the host anew; it adopts the chats.
function M.restart()
  require('ollama-remote.host').forgive()
  local all = chats.all()
  for _, chat in ipairs(all) do
    chat.known = false
  end
  rpc.stop()
  for index, chat in ipairs(all) do
    session.when_known(chat, function(failure)
      if failure then
        return message.tell(failure)
      end
      if index == #all then
        message.whisper('The host was started anew')
      end
    end)
  end
end

return M
