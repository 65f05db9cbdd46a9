-- A pull as the manager shows it under its model: a bar that never goes back, and what there is to say. Pure.
local M = {}

local columns = require('ollama-remote.columns')
local amounts = require('ollama-remote.amounts')

local WIDE_BAR, NARROW_BAR = 24, 10
local WIDE = 100

--- Words of the states that have any of their own; the others say what the server says.
local WORDS = {
  queued = 'waits for its turn',
  stalled = 'stands still',
  waiting = 'waits for the server',
  verifying = 'verifies what came',
  cancelled = 'cancelled',
  done = 'done',
}

--- Whether anything more will come of it.
---@param pull? ollama.Pull
---@return boolean
function M.is_running(pull)
  return pull ~= nil and not vim.list_contains({ 'done', 'failed', 'cancelled' }, pull.state)
end

---@param pull ollama.Pull
---@param width integer
---@return string? bar with its percent
---@return string? counted
local function progress(pull, width)
  local total, completed = pull.total, pull.completed or 0
  if not total or total <= 0 or pull.state == 'queued' then
    return
  end
  local share = math.min(1, completed / total)
  local cellular = width >= WIDE and WIDE_BAR or NARROW_BAR
  local full = math.floor(share * cellular)
  local bar = ('█'):rep(full) .. ('░'):rep(cellular - full)
  -- 100 % is said when all of it is there.
  local percent = math.floor(share * 100)
  return ('%s %3d %%'):format(bar, percent),
    ('%s of %s'):format(amounts.size(completed), amounts.size(total))
end

--- What is to be said, and what the server says, where that is not said already.
---@param pull ollama.Pull
---@return string said
---@return string? status
local function words(pull)
  local said = {}
  local moves = pull.state == 'pulling'
  if moves and pull.rate then
    said[#said + 1] = amounts.size(pull.rate) .. '/s'
  end
  if moves and pull.left_ms then
    said[#said + 1] = amounts.clock(pull.left_ms) .. ' left'
  end
  said[#said + 1] = WORDS[pull.state]
  local is_told = pull.status == '' or pull.state == 'queued' or pull.error ~= nil
  return table.concat(said, ' · '), not is_told and pull.status or nil
end

---@param parts string[]
---@param separator string
---@return string
local function joined(parts, separator)
  return table.concat(
    vim.tbl_filter(function(part)
      return part ~= ''
    end, parts),
    separator
  )
end

--- As much of it as fits: the server's words go first, then the bytes, for the time left says more than they. Why it waits
--- is never cut.
---@param pull ollama.Pull
---@param width integer
---@return string[]
local function progress_lines(pull, width)
  local bar, counted = progress(pull, width)
  local said, status = words(pull)
  local why = pull.error and pull.error.message or ''
  local function line(more)
    return joined({ bar or '', counted or '', joined({ said, more }, ' · ') }, '  ')
  end
  for _, more in ipairs({ why ~= '' and why or status or '', '' }) do
    if columns.width(line(more)) <= width then
      return more == why and { line(more) }
        or vim.list_extend({ line(more) }, columns.wrap(why, width))
    end
  end
  local short = joined({ bar or '', said ~= '' and said or counted or status or '' }, '  ')
  return vim.list_extend({ columns.cut(short, width) }, columns.wrap(why, width))
end

--- How far each layer is, the largest first, as many as fit; nothing where there is only one.
---@param pull ollama.Pull
---@param width integer
---@return string?
local function layers(pull, width)
  if pull.state ~= 'pulling' or #(pull.layers or {}) < 2 then
    return
  end
  local sorted = vim.list_slice(pull.layers)
  table.sort(sorted, function(one, other)
    return one.total > other.total
  end)
  local parts = vim.tbl_map(function(layer)
    local percent = layer.total > 0 and math.floor(layer.completed / layer.total * 100) or 0
    local digest = layer.digest:gsub('^sha256:', ''):sub(1, 12)
    return ('%s %d %% of %s'):format(digest, math.min(100, percent), amounts.size(layer.total))
  end, sorted)
  local lines = columns.flow(parts, width - #'layers  ' - #' · …' + 1, ' · ')
  return 'layers  ' .. lines[1] .. (#lines > 1 and ' · …' or '')
end

--- The lines under the model.
---@param pull ollama.Pull
---@param width integer
---@return { text: string, group: string }[]
function M.lines(pull, width)
  if pull.state == 'failed' then
    local failure = pull.error
    local text = failure and ('✗ %s: %s'):format(failure.code, failure.message)
      or '✗ failed: ' .. pull.status
    local lines = columns.wrap(text, width)
    vim.list_extend(lines, failure and failure.hint and columns.wrap(failure.hint, width) or {})
    return vim.tbl_map(function(line)
      return { text = line, group = 'OllamaRemoteFailed' }
    end, lines)
  end
  local is_held = pull.state == 'stalled' or pull.state == 'waiting'
  local group = is_held and 'OllamaRemoteNote'
    or pull.state == 'queued' and 'OllamaRemoteQueued'
    or 'OllamaRemoteRunning'
  local lines = vim.tbl_map(function(text)
    return { text = text, group = group }
  end, progress_lines(pull, width))
  local of_layers = layers(pull, width)
  lines[#lines + 1] = of_layers and { text = of_layers, group = 'OllamaRemoteDim' }
  return lines
end

return M
