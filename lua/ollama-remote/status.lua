-- What a statusline may show of the chat: a plain reading of what is known already, which never waits.
local M = {}

---@class ollama.Status
---@field text string '' when there is no chat or nothing to say
---@field chats { living: integer, running: integer }
---@field title? string
---@field file? string the saved chat's file, without the folder
---@field unsaved boolean whether it holds words that are in no file
---@field model? string
---@field server? string
---@field phase? string
---@field words? string the phase as a person reads it; nil when nothing runs
---@field elapsed? integer seconds since the running request began
---@field queued integer
---@field rate? number tokens per second of the last answer
---@field ended? string
---@field error? ollama.Error
---@field pulls? { running: integer, queued: integer, percent?: integer, text: string }

--- The phase in words, as far as its drawing is loaded.
---@param state ollama.State
---@return string?
local function words(state)
  if state.waiting then
    return 'waiting for ' .. state.waiting.server
  end
  local phase = package.loaded['ollama-remote.transcript.phase']
  return state.phase ~= 'idle' and (phase and phase.words[state.phase] or state.phase) or nil
end

---@return { running: integer, queued: integer, percent?: integer, text: string }?
local function pulls()
  local loaded = package.loaded['ollama-remote.models.pulls']
  return loaded and loaded.status()
end

---@param state ollama.State
---@param elapsed? integer
---@return string
local function text(state, elapsed)
  local parts = { state.model }
  local now = words(state)
  if now then
    parts[#parts + 1] = now
    parts[#parts + 1] = not state.waiting and elapsed and (elapsed .. 's') or nil
  elseif state.ended == 'failed' or state.ended == 'interrupted' then
    parts[#parts + 1] = state.ended
  end
  local pulling = pulls()
  parts[#parts + 1] = pulling and pulling.text or nil
  return table.concat(parts, ' ')
end

---@param chats table the module
---@return { living: integer, running: integer }
local function count(chats)
  local living = chats.living()
  local running = vim.tbl_filter(function(chat)
    return chat.state.phase ~= 'idle'
  end, living)
  return { living = #living, running = #running }
end

---@return ollama.Status
function M.read()
  -- A statusline is drawn before the plugin is used, too: then nothing of it is loaded.
  local chats = package.loaded['ollama-remote.chats']
  local chat = chats and chats.current()
  if not chat then
    local pulling = pulls()
    return {
      text = pulling and pulling.text or '',
      queued = 0,
      unsaved = false,
      chats = { living = 0, running = 0 },
      pulls = pulling,
    }
  end
  local state = chat.state
  local elapsed = chat.since and math.floor((vim.uv.now() - chat.since) / 1000) or nil
  return {
    text = text(state, elapsed),
    chats = count(chats),
    title = state.title,
    file = state.file,
    unsaved = state.unsaved == true,
    model = state.model,
    server = state.model and state.model:match('^([^:]+):'),
    phase = state.phase,
    words = words(state),
    elapsed = elapsed,
    queued = state.queued,
    rate = state.rate,
    ended = state.ended,
    error = state.error,
    pulls = pulls(),
  }
end

return M
