-- A model that a chat wants and its server does not have: it is pulled from within the chat, and asked once it is there.
-- How pulls go is the host's, how all of them are looked after the manager's.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local session = require('ollama-remote.chat.session')

--- A pull that a chat waits for.
---@class ollama.Absent
---@field ref string `server:model`, as the chat has it
---@field server string
---@field model string
---@field row? table the last word on it, PullRow of src/rpc/shapes.ts

--- Whether the last question could not be asked because its model is not there.
---@param chat ollama.Chat
---@return boolean
function M.is_missing(chat)
  local state = chat.state
  return state.phase == 'idle'
    and state.ended == 'failed'
    and state.error ~= nil
    and state.error.code == 'API_INVALID_MODEL'
end

--- The pull that the chat waits for; nil when it wants another model by now.
---@param chat ollama.Chat
---@return ollama.Absent?
local function awaited(chat)
  local absent = chat.absent
  return absent and absent.ref == chat.state.model and M.is_missing(chat) and absent or nil
end

---@param chat ollama.Chat
---@return boolean
function M.is_pulling(chat)
  local absent = awaited(chat)
  return absent ~= nil and not (absent.row and absent.row.state == 'failed')
end

---@param name string
---@return string with its tag
local function tagged(name)
  return name:find(':[^/:]+$') and name or name .. ':latest'
end

--- Asks the last question again.
---@param chat ollama.Chat
function M.ask(chat)
  session.request(chat, 'chat.again', {})
end

--- Pulls the model that the chat misses.
function M.pull()
  local chat = chats.current_living()
  if not chat or not M.is_missing(chat) then
    return message.whisper('No model is missing here')
  end
  if M.is_pulling(chat) then
    return message.whisper('It is being pulled')
  end
  local ref = chat.state.model
  local server, model = ref:match('^([^:]+):(.+)$')
  local absent = { ref = ref, server = server, model = model }
  chat.absent = absent
  session.refresh(chat)
  require('ollama-remote.rpc').request('pulls.start', {
    server = server,
    model = model,
    quiet = true,
  }, function(failure)
    if failure and chat.absent == absent then
      chat.absent = nil
      session.refresh(chat)
    end
    message.tell(failure)
  end)
end

---@param chat ollama.Chat
function M.cancel(chat)
  local absent = chat.absent
  if absent then
    local params = { server = absent.server, model = absent.model }
    require('ollama-remote.rpc').request('pulls.cancel', params, message.tell)
  end
end

--- A failure stands at the transcript's end; where nobody sees that, it is said.
---@param chat ollama.Chat
---@param row table
---@return boolean is_seen
local function tell_failure(chat, row)
  local window = chat.windows and chat.windows.transcript
  local is_seen = awaited(chat) ~= nil and window and vim.api.nvim_win_is_valid(window) or false
  if not is_seen and row.error then
    message.say(('%s was not pulled: %s'):format(chat.absent.ref, message.of(row.error)), 'warn')
  end
  return is_seen
end

---@param chat ollama.Chat
---@param row table
---@return boolean is_told whether what became of the pull stands in sight
local function take(chat, row)
  local is_awaited = awaited(chat) ~= nil
  local is_over = row.state == 'done' or row.state == 'cancelled'
  chat.absent.row = row
  local is_told = row.state == 'failed' and tell_failure(chat, row)
  if is_over then
    chat.absent = nil
  end
  session.refresh(chat)
  if row.state == 'done' and is_awaited then
    M.ask(chat)
  end
  return is_told
end

--- How a pull stands now.
---@param row table PullRow of src/rpc/shapes.ts
---@return boolean is_told whether what became of it stands in sight
function M.update(row)
  local is_told = false
  for _, chat in ipairs(chats.living()) do
    local absent = chat.absent
    local is_meant = absent
      and absent.server == row.server
      and tagged(absent.model) == tagged(row.model)
    if is_meant then
      is_told = take(chat, row) or is_told
    end
  end
  return is_told
end

--- What is said of a state of which there are no numbers.
local WORDS = {
  queued = 'waits for its turn',
  verifying = 'all is there, it is being verified',
  stalled = 'nothing comes any more',
  waiting = 'waiting for the server',
}

---@param row table
---@return string?
local function share(row)
  local is_known = row.completed and (row.total or 0) > 0
  return is_known and ('%d %%'):format(math.floor(100 * row.completed / row.total)) or nil
end

---@param row? table
---@return string
local function progress(row)
  if not row or WORDS[row.state] then
    return WORDS[row and row.state or 'queued']
  end
  local amounts = require('ollama-remote.amounts')
  local size = amounts.size
  local parts = { share(row) or row.status }
  if share(row) then
    parts[#parts + 1] = ('%s of %s'):format(size(row.completed), size(row.total))
  end
  parts[#parts + 1] = row.rate and size(row.rate) .. '/s' or nil
  parts[#parts + 1] = row.left_ms and amounts.clock(row.left_ms) .. ' left' or nil
  return table.concat(parts, ' · ')
end

--- A few words for the winbar; nil when nothing is pulled for the chat.
---@param chat ollama.Chat
---@return string?
function M.short(chat)
  if not M.is_pulling(chat) then
    return nil
  end
  local row = chat.absent.row
  return 'pulling' .. (row and share(row) and ' ' .. share(row) or '')
end

--- What stands at the transcript's end while the chat waits for a model.
---@param chat ollama.Chat
---@param width integer
---@return ollama.Chunks[]
function M.lines(chat, width)
  local absent = awaited(chat)
  if not absent then
    return {}
  end
  local wrap = require('ollama-remote.columns').wrap
  local failure = absent.row and absent.row.state == 'failed' and absent.row.error
  local text = failure and ('✗ %s was not pulled: %s'):format(absent.model, message.of(failure))
    or ('↓ pulling %s on %s: %s'):format(absent.model, absent.server, progress(absent.row))
  local lines = {}
  for _, paragraph in ipairs(vim.split(text, '\n', { plain = true })) do
    for _, line in ipairs(wrap(paragraph, width)) do
      lines[#lines + 1] = { { line, failure and 'OllamaRemoteFailed' or 'OllamaRemotePhase' } }
    end
  end
  local keys = failure and 'gP tries again · :Ollama model chooses another' or '<C-c> cancels'
  lines[#lines + 1] = { { keys, 'OllamaRemoteDim' } }
  return lines
end

require('ollama-remote.rpc').when_gone(function()
  for _, chat in ipairs(chats.all()) do
    chat.absent = nil
  end
end)

return M
