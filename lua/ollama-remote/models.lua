-- Which model a chat has and which a new one gets.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

--- A question that only its model hindered from being asked is asked with the new one.
---@param chat ollama.Chat
---@param model string
local function switch(chat, model)
  -- The host's word on the new one comes before its answer.
  local before = chat.state.model
  session.request(chat, 'chat.model', { model = model }, function(state)
    local is_other = state.model ~= before
    session.set_state(chat, state)
    local absent = require('ollama-remote.chat.absent')
    if is_other and absent.is_missing(chat) then
      absent.ask(chat)
    end
  end)
end

---@param options ollama.PickOptions
---@param callback fun(choice: string)
local function pick(options, callback)
  require('ollama-remote.models.picker').pick(options, function(failure, choice)
    if choice then
      return callback(choice)
    end
    message.tell(failure)
  end)
end

--- Switches the chat's model: to the one that is named, or to one that is picked.
---@param name? string
function M.switch(name)
  local chat = chats.current() or require('ollama-remote.chat').show()
  if name then
    return switch(chat, name)
  end
  session.when_known(chat, function(failure)
    if failure then
      return message.tell(failure)
    end
    local current = chat.state.model
    if not current then
      return session.when_ready(chat, message.tell)
    end
    pick({ prompt = 'Model of this chat', current = current }, function(choice)
      switch(chat, choice)
    end)
  end)
end

---@param model string
local function keep_default(model)
  rpc.request('models.default', { model = model }, function(failure, kept)
    if failure then
      return message.tell(failure)
    end
    message.say('New chats use ' .. kept.model)
    local chat = chats.current()
    if chat and chat.known and not chat.state.model then
      switch(chat, kept.model)
    end
  end)
end

--- Chooses the model of new chats, and keeps it.
---@param name? string
function M.default(name)
  if name then
    return keep_default(name)
  end
  pick({ prompt = 'Default model', default = true }, keep_default)
end

return M
