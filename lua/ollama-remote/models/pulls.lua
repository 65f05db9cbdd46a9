-- The pulls as the host tells of them, whoever looks: kept for the statusline, and told as Neovim's own progress where it
-- knows such messages. What stands in the manager's rows is manager.lua's; the last word on a batch is the host's.
local M = {}

---@class ollama.Pull
---@field server string
---@field model string
---@field state 'queued'|'pulling'|'verifying'|'stalled'|'waiting'|'done'|'failed'|'cancelled'
---@field status string what the server is at, in its own words
---@field completed? number bytes
---@field total? number bytes
---@field rate? number bytes per second
---@field left_ms? number
---@field layers? { digest: string, total: number, completed: number }[]
---@field error? ollama.Error

--- Neovim draws each of its messages at once, so one in a while is enough while a pull is at the same thing.
local BETWEEN_MESSAGES_MS = 1000

local ENDS = { done = 'success', failed = 'failed', cancelled = 'cancel' }

--- Those that have not ended, in the order in which they were told first.
---@type ollama.Pull[]
local open = {}

---@type table<string, { id?: integer, at: integer, state?: string }>
local messages = {}

---@param pull ollama.Pull
---@return string
local function ref(pull)
  return pull.server .. ':' .. pull.model
end

---@param pull ollama.Pull
---@return integer? percent
local function percent_of(pull)
  if (pull.total or 0) > 0 and pull.completed then
    return math.min(100, math.floor(pull.completed / pull.total * 100))
  end
end

---@param pull ollama.Pull
local function keep(pull)
  for index, other in ipairs(open) do
    if ref(other) == ref(pull) then
      if ENDS[pull.state] then
        table.remove(open, index)
      else
        open[index] = pull
      end
      return
    end
  end
  if not ENDS[pull.state] then
    open[#open + 1] = pull
  end
end

--- What Neovim puts before the words.
local TITLE, LONGEST_HEAD = 'pull', 'pull: 100% '

--- What a pull is at, as short as it can be said. What does not fit into the line would have Neovim wait for Enter.
---@param pull ollama.Pull
---@return string
local function words(pull)
  local left = pull.left_ms and require('ollama-remote.amounts').clock(pull.left_ms)
  local state = ': ' .. pull.state
  if pull.state == 'pulling' and not percent_of(pull) then
    state = ': begins'
  elseif pull.state == 'pulling' then
    state = left and (' · %s left'):format(left) or ''
  end
  local room = vim.v.echospace - #LONGEST_HEAD - vim.fn.strdisplaywidth(state)
  return require('ollama-remote.models.names').shortened(ref(pull), math.max(1, room)) .. state
end

--- A progress message of Neovim 0.12 and newer. It goes into no history and is replaced by the next one.
---@param pull ollama.Pull
local function show_progress(pull)
  local now, name = vim.uv.now(), ref(pull)
  local message = messages[name] or { at = -BETWEEN_MESSAGES_MS }
  local is_over = ENDS[pull.state] ~= nil
  local is_news = pull.state ~= message.state
  if pull.state == 'queued' or (not is_news and now - message.at < BETWEEN_MESSAGES_MS) then
    return
  end
  message.at, message.state = now, pull.state
  messages[name] = not is_over and message or nil
  local ok, id = pcall(vim.api.nvim_echo, { { words(pull) } }, false, {
    kind = 'progress',
    id = message.id,
    source = 'ollama-remote',
    title = TITLE,
    status = ENDS[pull.state] or 'running',
    percent = percent_of(pull),
  })
  message.id = ok and id or nil
end

--- The host tells how a pull goes.
---@param pull ollama.Pull
---@param is_told? boolean whether what became of it stands in sight already
function M.update(pull, is_told)
  keep(pull)
  if vim.fn.has('nvim-0.12') == 1 then
    show_progress(pull)
    if is_told then
      vim.api.nvim_echo({ { '' } }, false, {})
    end
  end
  require('ollama-remote.chat.events').status_changed()
end

--- For statuslines: how many run and wait, and how far they are in all; nil when there are none.
---@return { running: integer, queued: integer, percent?: integer, text: string }?
function M.status()
  if #open == 0 then
    return nil
  end
  local completed, total, queued = 0, 0, 0
  for _, pull in ipairs(open) do
    completed, total = completed + (pull.completed or 0), total + (pull.total or 0)
    queued = queued + (pull.state == 'queued' and 1 or 0)
  end
  local percent = total > 0 and math.min(100, math.floor(completed / total * 100)) or nil
  local what = #open == 1 and open[1].model or ('%d models'):format(#open)
  local text = percent and ('pulling %s %d%%'):format(what, percent) or 'pulling ' .. what
  return { running = #open - queued, queued = queued, percent = percent, text = text }
end

--- A host that is gone pulls no more; what was fetched stays on the server.
require('ollama-remote.rpc').when_gone(function()
  if #open > 0 then
    local text = #open == 1
        and ('%s ended with the host; :Ollama pull %s goes on with what was fetched'):format(
          ref(open[1]),
          ref(open[1])
        )
      or ('%d pulls ended with the host; asked for again, they go on with what was fetched'):format(
        #open
      )
    require('ollama-remote.message').say(text, 'warn')
  end
  open, messages = {}, {}
end)

return M
