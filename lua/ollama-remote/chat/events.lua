-- What a change of a chat's state means: which request began, moved on or ended; told by User autocommands.
local M = {}

--- Fires a User autocommand.
---@param pattern string
---@param data table
function M.tell(pattern, data)
  -- An error in a user's autocommand must not look to the host like a failure of the verb.
  local options = { pattern = pattern, modeline = false, data = data }
  local ok, thrown = pcall(vim.api.nvim_exec_autocmds, 'User', options)
  if not ok then
    require('ollama-remote.message').say(tostring(thrown), 'error')
  end
end

---@param pattern string
---@param chat ollama.Chat
local function fire(pattern, chat)
  local state = chat.state
  local data = {
    chat = chat.id,
    model = state.model,
    phase = state.phase,
    ended = state.ended,
    error = state.error or (state.waiting and state.waiting.error),
  }
  M.tell(pattern, data)
end

local is_status_told = true

--- Tells that status() may read otherwise: once for all that changes at one time, and after it.
function M.status_changed()
  if not is_status_told then
    return
  end
  is_status_told = false
  vim.schedule(function()
    is_status_told = true
    M.tell('OllamaStatusChanged', {})
  end)
end

local ANSWERING = { thinking = true, writing = true }
local GETTING_READY =
  { queued = true, connecting = true, authenticating = true, loading = true, reading = true }

--- Whether the new phase is of another request: the host goes from one answer straight to the next in its queue.
---@param old string
---@param new string
---@return boolean
local function is_next(old, new)
  return ANSWERING[old] == true and GETTING_READY[new] == true
end

--- Keeps the new state and tells what happened.
---@param chat ollama.Chat
---@param state ollama.State
function M.move(chat, state)
  local old, new = chat.state.phase, state.phase
  if not vim.deep_equal(chat.state, state) then
    M.status_changed()
  end
  chat.state = state
  if old == new then
    return
  end
  local next_one = is_next(old, new)
  if old ~= 'idle' and (new == 'idle' or next_one) then
    fire('OllamaRequestFinished', chat)
  end
  if old == 'idle' or next_one then
    chat.since = vim.uv.now()
    fire('OllamaRequestStarted', chat)
  end
  if new ~= 'idle' then
    fire('OllamaRequestPhase', chat)
  end
end

return M
