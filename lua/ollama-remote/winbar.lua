-- The two winbars of a chat: what the model is and does, and what the prompt's keys are.
local M = {}

local chats = require('ollama-remote.chats')

local DOTS = {
  running = '%#OllamaRemoteRunning#●',
  failed = '%#OllamaRemoteFailed#●',
  idle = '%#OllamaRemoteReady#●',
  down = '%#OllamaRemoteDim#○',
  away = '%#OllamaRemoteFailed#○',
}

---@param text string
---@return string
local function plain(text)
  return (text:gsub('%%', '%%%%'))
end

---@param chat ollama.Chat
---@return string
local function dot(chat)
  local state = chat.state
  if state.phase == 'waiting' then
    return DOTS.away
  end
  if state.phase ~= 'idle' then
    return DOTS.running
  end
  if not chat.known then
    return DOTS.down
  end
  return state.ended == 'failed' and DOTS.failed or DOTS.idle
end

---@param chat ollama.Chat
---@return string
function M.transcript(chat)
  local state = chat.state
  local parts = {}
  if state.waiting then
    parts[#parts + 1] = plain(('waiting for %s'):format(state.waiting.server))
  end
  if state.queued > 0 then
    parts[#parts + 1] = ('%d queued'):format(state.queued)
  end
  if state.rate then
    parts[#parts + 1] = ('%.0f t/s'):format(state.rate)
  end
  local model = state.model and plain(state.model) or 'no model yet'
  local right = table.concat(parts, ' · ')
  return (' %%#OllamaRemoteModel#%%<%s %s%%#OllamaRemoteDim#  %s'):format(model, dot(chat), right)
end

--- From the fullest to the shortest, for windows of different widths.
local EDITING = {
  'editing turn %d · <CR> replaces it and what followed · <C-c> gives up',
  'editing turn %d · <CR> replaces · <C-c> gives up',
  'turn %d · <CR> replaces · <C-c> gives up',
}
local HINTS = {
  '<CR> send · <C-s> send in insert · g? keys',
  '<CR> send · <C-s> in insert · g? keys',
  '<CR> send · g? keys',
}

---@param variants string[]
---@param width integer
---@return string
local function fitting(variants, width)
  for _, text in ipairs(variants) do
    if vim.fn.strdisplaywidth(text) < width then
      return text
    end
  end
  return variants[#variants]
end

---@param chat ollama.Chat
---@param window integer
---@return string
function M.prompt(chat, window)
  local width = vim.api.nvim_win_get_width(window)
  if chat.editing then
    return '%#OllamaRemoteEditing# ' .. fitting(EDITING, width):format(chat.editing.turn)
  end
  return '%#OllamaRemoteDim# ' .. fitting(HINTS, width)
end

--- Writes both winbars where their windows are open.
---@param chat ollama.Chat
function M.refresh(chat)
  for _, part in ipairs({ 'transcript', 'prompt' }) do
    local window = chats.window(chat, part)
    local text = window and M[part](chat, window)
    if window and vim.wo[window].winbar ~= text then
      vim.api.nvim_set_option_value('winbar', text, { win = window, scope = 'local' })
    end
  end
end

return M
