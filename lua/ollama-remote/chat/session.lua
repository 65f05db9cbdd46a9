-- A chat and the host: whether it knows the chat, what it says of it, and what happens when it dies.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')

--- Draws what is true of the chat now.
---@param chat ollama.Chat
function M.refresh(chat)
  require('ollama-remote.saved.save').mark(chat)
  require('ollama-remote.ui.winbar').refresh(chat)
  require('ollama-remote.transcript.phase').refresh(chat)
end

--- The host's word on what a chat is and does.
---@param chat ollama.Chat
---@param state table
function M.set_state(chat, state)
  state.queued = state.queued or 0
  local title = chat.state.title
  require('ollama-remote.chat.events').move(chat, state)
  if chat.state.title ~= title then
    require('ollama-remote.chat.buffers').rename(chat)
  end
  M.refresh(chat)
end

---@type table<integer, ollama.Callback[]>
local opening = {}

---@param chat ollama.Chat
---@param failure? ollama.Error
---@param state? table
local function opened(chat, failure, state)
  local waiting = opening[chat.id] or {}
  opening[chat.id] = nil
  M.refresh(chat)
  for _, callback in ipairs(waiting) do
    callback(failure, state)
  end
end

--- Has the host open a saved chat to be read.
---@param chat ollama.Chat
local function load(chat)
  rpc.request('chat.load', { chat = chat.id, file = chat.state.file }, function(failure, state)
    if not failure then
      chat.known = true
      M.set_state(chat, state)
    end
    opened(chat, failure, state)
  end)
end

--- Makes the host know the chat by what was written down of it, and by what stands in the transcript.
---@param chat ollama.Chat
---@param callback ollama.Callback
local function introduce(chat, callback)
  if chat.recovers then
    return rpc.request('chat.recover', { chat = chat.id, key = chat.recovers }, callback)
  end
  local introduction = require('ollama-remote.chat.introduction')
  rpc.request('chat.open', function()
    return introduction.of(chat)
  end, function(failure, state)
    if not failure and state.wants_transcript then
      return introduction.tell_all(chat, callback)
    end
    callback(failure, state)
  end)
end

--- Calls back when the running host knows the chat; a new host goes on with what an earlier one has left.
---@param chat ollama.Chat
---@param callback ollama.Callback
function M.when_known(chat, callback)
  if chat.known then
    return callback(nil)
  end
  if opening[chat.id] then
    table.insert(opening[chat.id], callback)
    return
  end
  opening[chat.id] = { callback }
  if chat.read_only then
    return load(chat)
  end
  local model = chat.state.model
  introduce(chat, function(failure, state)
    if failure then
      return opened(chat, failure)
    end
    chat.known, chat.key, chat.recovers, chat.was_busy = true, state.key, nil, nil
    require('ollama-remote.chat.draft').opened(chat, state.draft)
    M.set_state(chat, state)
    if model and model ~= state.model then
      return M.set_model(chat, model, function(problem)
        opened(chat, problem)
      end)
    end
    opened(chat)
  end)
end

---@param chat ollama.Chat
---@param model string
---@param callback ollama.Callback
function M.set_model(chat, model, callback)
  rpc.request('chat.model', { chat = chat.id, model = model }, function(failure, state)
    if not failure then
      M.set_state(chat, state)
    end
    callback(failure)
  end)
end

---@type table<integer, ollama.Callback[]>
local choosing = {}

---@param chat ollama.Chat
---@param failure? ollama.Error
local function chosen(chat, failure)
  local waiting = choosing[chat.id] or {}
  choosing[chat.id] = nil
  for _, callback in ipairs(waiting) do
    callback(failure)
  end
end

--- The first model that is ever chosen becomes the default too.
---@param chat ollama.Chat
local function choose_first_model(chat)
  require('ollama-remote.models.picker').pick({ prompt = 'Model' }, function(failure, choice)
    if failure or not choice then
      return chosen(chat, failure or { code = 'CANCELLED', message = 'No model was chosen' })
    end
    rpc.request('models.default', { model = choice }, message.tell)
    M.set_model(chat, choice, function(problem)
      chosen(chat, problem)
    end)
  end)
end

--- Gives up waiting for a model to be chosen, as when the picker was left without a word.
---@param chat ollama.Chat
function M.stop_choosing(chat)
  chosen(chat, { code = 'CANCELLED', message = 'No model was chosen' })
end

--- Calls back when the chat is known and has a model; asks for one if need be.
---@param chat ollama.Chat
---@param callback ollama.Callback
function M.when_ready(chat, callback)
  M.when_known(chat, function(failure)
    if failure or chat.state.model then
      return callback(failure)
    end
    if choosing[chat.id] then
      table.insert(choosing[chat.id], callback)
      return
    end
    choosing[chat.id] = { callback }
    choose_first_model(chat)
  end)
end

--- Makes a simple request about a chat that the host must know.
---@param chat ollama.Chat?
---@param method string
---@param params table
---@param callback? fun(value: any)
function M.request(chat, method, params, callback)
  if not chat then
    return message.whisper('No chat is open')
  end
  M.when_known(chat, function(failure)
    if failure then
      return message.tell(failure)
    end
    params.chat = chat.id
    rpc.request(method, params, function(refusal, value)
      if refusal then
        message.tell(refusal)
      elseif callback then
        callback(value)
      end
    end)
  end)
end

local has_mentioned = false

rpc.when_up(function()
  if not has_mentioned then
    has_mentioned = true
    require('ollama-remote.chat.left').mention()
  end
end)

--- The next host goes on with what was asked, or says at least that it was cut; nobody has to press a key for it.
---@param chat ollama.Chat
local function go_on(chat)
  chat.was_busy = true
  vim.schedule(function()
    if chats.get(chat.id) then
      M.when_known(chat, message.tell)
    end
  end)
end

rpc.when_gone(function()
  for _, chat in ipairs(chats.all()) do
    chat.known = false
    if chat.state.phase ~= 'idle' then
      go_on(chat)
    end
    local ended = chat.state.phase ~= 'idle' and 'interrupted' or chat.state.ended
    local gone = { phase = 'idle', queued = 0, ended = ended }
    local state = vim.tbl_extend('force', chat.state, gone)
    state.waiting = nil
    M.set_state(chat, state)
  end
end)

return M
