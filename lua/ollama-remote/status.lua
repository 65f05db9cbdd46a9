-- What a statusline may show of the chat: a plain reading of what is known already, which never waits.
local M = {}

---@class ollama.Status
---@field text string '' when there is no chat or nothing to say
---@field phase? string
---@field model? string
---@field elapsed? integer seconds since the running request began
---@field queued integer
---@field rate? number tokens per second of the last answer
---@field ended? string
---@field error? ollama.Error

---@param state ollama.State
---@param elapsed? integer
---@return string
local function text(state, elapsed)
  local parts = { state.model }
  if state.waiting then
    parts[#parts + 1] = 'waiting for ' .. state.waiting.server
  elseif state.phase ~= 'idle' then
    parts[#parts + 1] = require('ollama-remote.phase').words[state.phase] or state.phase
    parts[#parts + 1] = elapsed and (elapsed .. 's') or nil
  elseif state.ended == 'failed' or state.ended == 'interrupted' then
    parts[#parts + 1] = state.ended
  end
  return table.concat(parts, ' ')
end

---@return ollama.Status
function M.read()
  -- A statusline is drawn before the plugin is used, too: then nothing of it is loaded.
  local chats = package.loaded['ollama-remote.chats']
  local chat = chats and chats.current()
  if not chat then
    return { text = '', queued = 0 }
  end
  local state = chat.state
  local elapsed = require('ollama-remote.phase').elapsed(chat)
  return {
    text = text(state, elapsed),
    phase = state.phase,
    model = state.model,
    elapsed = elapsed,
    queued = state.queued,
    rate = state.rate,
    ended = state.ended,
    error = state.error,
  }
end

return M
