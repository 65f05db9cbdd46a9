-- What stands around the rows of the manager: each server's head with its state and what is wrong, reasons, the legend. Pure.
local M = {}

local columns = require('ollama-remote.columns')
local cells = require('ollama-remote.manager.cells')
local size = require('ollama-remote.models.picker').size
local states = require('ollama-remote.servers.rows').states

local INDENT = '    '

--- What a section says of its server, besides its name.
---@param server ollama.ServerModels
---@param shown integer how many of its models are shown
---@param view ollama.ManagerView
---@return string
local function summary(server, shown, view)
  local bytes, loaded, vram = 0, 0, 0
  local installed = 0
  for _, model in ipairs(server.models) do
    installed = installed + ((model.size or model.digest) and 1 or 0)
    bytes = bytes + (model.size or 0)
    loaded = loaded + (model.loaded and 1 or 0)
    vram = vram + (model.loaded and model.loaded.vram or 0)
  end
  local parts = {}
  if server.state ~= 'ready' then
    local state = states[server.state]
    local words = state and state[2] or server.state
    if server.state == 'waiting' and server.retry_at then
      words = ('%s %d s'):format(words, math.max(0, math.ceil((server.retry_at - view.now) / 1000)))
    end
    parts[#parts + 1] = words
  end
  parts[#parts + 1] = server.version and 'Ollama ' .. server.version
  if server.read then
    local count = installed == 1 and '1 model' or installed .. ' models'
    parts[#parts + 1] = view.filter and ('%d of %s'):format(shown, count) or count
    parts[#parts + 1] = bytes > 0 and size(bytes) or nil
  elseif server.state == 'ready' and not server.error then
    parts[#parts + 1] = 'asking …'
  end
  if loaded > 0 then
    parts[#parts + 1] = ('%d loaded'):format(loaded)
      .. (vram > 0 and ', ' .. size(vram) .. ' VRAM' or '')
  end
  if server.read and (server.error or server.state ~= 'ready') then
    local span = cells.span(view.now - server.read)
    parts[#parts + 1] = span == 'now' and 'as last seen' or ('as seen %s ago'):format(span)
  end
  return table.concat(parts, ' · ')
end

---@param server ollama.ServerModels
---@param shown integer
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.head(server, shown, view)
  local failed = server.error and server.state == 'ready'
  local state = states[failed and 'failed' or server.state] or states.idle
  local head = state[1] .. ' ' .. server.server
  local text = columns.cut(head .. '  ' .. summary(server, shown, view), view.width)
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
    -- A hint may end with a command, to which no word is to be added.
    say('r tries again.', 'OllamaRemoteDim')
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
      table.insert(names[why], model.name)
    end
  end
  local lines = {}
  for _, why in ipairs(order) do
    local who = #names[why] > 3 and ('%d models'):format(#names[why])
      or table.concat(names[why], ', ')
    for _, line in ipairs(columns.wrap(('? %s: %s'):format(who, why), view.width - #INDENT - 1)) do
      local text = INDENT .. line
      lines[#lines + 1] =
        { text = text, marks = { { 0, #text, 'OllamaRemoteDim' } }, server = models[1].server }
    end
  end
  return lines
end

---@param used table<string, boolean>
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.legend(used, view)
  local parts = {}
  for _, pair in ipairs(cells.CAPABILITIES) do
    if used[pair[1]] then
      parts[#parts + 1] = ('%s %s'):format(pair[2], cells.LEGEND[pair[1]] or pair[1])
    end
  end
  if #parts == 0 then
    return {}
  end
  local text =
    columns.cut('   CAN: ' .. table.concat(parts, ' · ') .. ' · * the default', view.width)
  return {
    { text = '', marks = {} },
    { text = text, marks = { { 0, #text, 'OllamaRemoteDim' } } },
  }
end

return M
