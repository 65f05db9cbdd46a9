-- What stands around the rows of the manager: each server's head with its state and what is wrong, reasons, the legend. Pure.
local M = {}

local amounts = require('ollama-remote.amounts')
local columns = require('ollama-remote.columns')
local cells = require('ollama-remote.manager.cells')
local guidance = require('ollama-remote.servers.guidance')
local states = require('ollama-remote.servers.rows').states

local INDENT = '    '

--- How its link stands, when that is not as it should be.
---@param server ollama.ServerModels
---@param now number
---@return string?
local function state_words(server, now)
  if server.state == 'ready' then
    return nil
  end
  local state = states[server.state]
  local words = state and state[2] or server.state
  if server.state == 'waiting' and server.retry_at then
    return ('%s %d s'):format(words, math.max(0, math.ceil((server.retry_at - now) / 1000)))
  end
  return words
end

--- How old the oldest verdict is; nothing while they are new, and while there are none.
---@param server ollama.ServerModels
---@param now number
---@return string?
local function checked(server, now)
  local oldest
  for _, model in ipairs(server.models) do
    local at = model.update and model.update.checked
    oldest = at and math.min(at, oldest or at) or oldest
  end
  local span = oldest and amounts.span(now - oldest)
  return span and span ~= 'now' and ('checked %s ago'):format(span) or nil
end

--- How many there are and how large they are, and what of it is in memory.
---@param models ollama.ModelRow[]
---@return { installed: integer, bytes: number, loaded: integer, vram: number }
local function sums(models)
  local sum = { installed = 0, bytes = 0, loaded = 0, vram = 0 }
  for _, model in ipairs(models) do
    sum.installed = sum.installed + ((model.size or model.digest) and 1 or 0)
    sum.bytes = sum.bytes + (model.size or 0)
    sum.loaded = sum.loaded + (model.loaded and 1 or 0)
    sum.vram = sum.vram + (model.loaded and model.loaded.vram or 0)
  end
  return sum
end

--- What a section says of its server, besides its name. A narrow window leaves out what has a higher rank.
---@param server ollama.ServerModels
---@param shown integer how many of its models are shown
---@param view ollama.ManagerView
---@return { [1]: string, [2]: integer }[] words and rank
local function summary(server, shown, view)
  local sum = sums(server.models)
  local parts = {}
  local function say(rank, words)
    parts[#parts + 1] = words and { words, rank } or nil
  end
  say(0, state_words(server, view.now))
  say(4, server.version and 'Ollama ' .. server.version)
  if server.read then
    local count = sum.installed == 1 and '1 model' or sum.installed .. ' models'
    say(0, view.filter and ('%d of %s'):format(shown, count) or count)
    say(3, sum.bytes > 0 and amounts.size(sum.bytes) or nil)
  elseif server.state == 'ready' and not server.error then
    say(0, 'asking …')
  end
  if sum.loaded > 0 then
    local vram = sum.vram > 0 and ', ' .. amounts.size(sum.vram) .. ' VRAM' or ''
    say(1, ('%d loaded'):format(sum.loaded) .. vram)
  end
  if server.read and (server.error or server.state ~= 'ready') then
    local span = amounts.span(view.now - server.read)
    say(0, span == 'now' and 'as last seen' or ('as seen %s ago'):format(span))
  end
  say(2, checked(server, view.now))
  return parts
end

--- As much of it as fits.
---@param parts { [1]: string, [2]: integer }[]
---@param width integer
---@return string
local function fit(parts, width)
  local said
  for rank = 4, 0, -1 do
    said = {}
    for _, part in ipairs(parts) do
      said[#said + 1] = part[2] <= rank and part[1] or nil
    end
    if columns.width(table.concat(said, ' · ')) <= width then
      break
    end
  end
  local lines = columns.flow(said, width, ' · ')
  return lines[1] and columns.width(lines[1]) <= width and lines[1] or ''
end

---@param server ollama.ServerModels
---@param shown integer
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.head(server, shown, view)
  local failed = server.error and server.state == 'ready'
  local state = states[failed and 'failed' or server.state] or states.idle
  local head = state[1] .. ' ' .. server.server
  local room = view.width - columns.width(head) - 2
  local words = fit(summary(server, shown, view), room)
  local text = columns.cut(words == '' and head or head .. '  ' .. words, view.width)
  local lines = {
    {
      text = text,
      marks = {
        { 0, #state[1], state[3] },
        { #state[1] + 1, math.min(#head, #text), 'OllamaRemoteModel' },
        { math.min(#head, #text), #text, 'OllamaRemoteDim' },
      },
      server = server.server,
    },
  }
  local function say(sentence, group)
    for _, line in ipairs(columns.wrap(sentence, view.width - #INDENT - 1)) do
      lines[#lines + 1] = {
        text = INDENT .. line,
        marks = { { #INDENT, #INDENT + #line, group } },
        server = server.server,
      }
    end
  end
  local is_on_the_way = server.state == 'connecting' or server.state == 'authenticating'
  if server.error and not is_on_the_way then
    say(server.error.code .. ': ' .. server.error.message, state[3])
    if server.error.hint then
      say(server.error.hint, 'OllamaRemoteDim')
    end
    local about = { name = server.server, has_ssh = not server.is_direct }
    say(guidance.of(server.error, about, 'models'), 'OllamaRemoteDim')
  elseif server.state == 'idle' or server.state == 'closed' then
    say('Its connection is not up: r connects.', 'OllamaRemoteDim')
  elseif server.read and #server.models == 0 then
    say('No model is installed there: p pulls one by its name.', 'OllamaRemoteDim')
  end
  return lines
end

--- Why it cannot be told of some whether they are out of date, once for each reason.
---@param models ollama.ModelRow[]
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.reasons(models, view)
  local names, order = {}, {}
  for _, model in ipairs(models) do
    local why = model.update and model.update.state == 'unknown' and model.update.why
    if why then
      if not names[why] then
        names[why] = {}
        order[#order + 1] = why
      end
      -- The first word of a line is not to be broken.
      table.insert(names[why], cells.shortened(model.name, view.width - #INDENT - 4))
    end
  end
  local lines, width = {}, view.width - #INDENT - 1
  for _, why in ipairs(order) do
    local who = #names[why] > 3 and ('%d models'):format(#names[why])
      or table.concat(names[why], ', ')
    for _, line in ipairs(columns.wrap(('? %s: %s'):format(who, why), width)) do
      local text = INDENT .. line
      lines[#lines + 1] =
        { text = text, marks = { { 0, #text, 'OllamaRemoteDim' } }, server = models[1].server }
    end
  end
  return lines
end

---@param used table<string, boolean> capabilities whose letters are shown
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.legend(used, view)
  local parts = {}
  for _, pair in ipairs(cells.CAPABILITIES) do
    if used[pair[1]] then
      parts[#parts + 1] = ('%s %s'):format(pair[2], cells.LEGEND[pair[1]] or pair[1])
    end
  end
  parts[1] = parts[1] and 'CAN: ' .. parts[1]
  parts[#parts + 1] = '* the default'
  local lines = { { text = '', marks = {} } }
  for _, line in ipairs(columns.flow(parts, view.width - 3, ' · ')) do
    local text = '   ' .. line
    lines[#lines + 1] = { text = text, marks = { { 0, #text, 'OllamaRemoteDim' } } }
  end
  return lines
end

return M
