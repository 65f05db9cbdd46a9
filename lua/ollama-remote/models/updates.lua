-- :OllamaUpdate, :Ollama update and :Ollama pull: which models are out of date, and how newer ones are fetched. What is
-- found stands in the manager; nothing here waits.
local M = {}

local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')

---@param count integer
---@param what string
---@return string
local function so_many(count, what)
  return count == 1 and ('1 %s'):format(what) or ('%d %ss'):format(count, what)
end

---@param reference string `server:model`, or a model of the default server
local function start(reference)
  rpc.request('pulls.start', { model = reference }, message.tell)
end

---@class ollama.UpdatesFound see `updates.check` in src/rpc/protocol.ts
---@field checked integer
---@field available integer
---@field unknown? integer
---@field refs string[]
---@field failures? { server: string, error: ollama.Error }[]

--- What was not looked at, and why; the same reason is said once.
---@param found ollama.UpdatesFound
---@return string[]
local function shortcomings(found)
  local reasons, servers = {}, {}
  for _, failure in ipairs(found.failures or {}) do
    local why = message.of(failure.error)
    if not servers[why] then
      reasons[#reasons + 1] = why
      servers[why] = {}
    end
    -- That no registry can be reached says nothing of the server.
    if failure.error.code ~= 'REGISTRY_UNREACHABLE' then
      table.insert(servers[why], failure.server)
    end
  end
  return vim.tbl_map(function(why)
    local names = table.concat(servers[why], ', ')
    return names == '' and why or ('%s could not be asked: %s'):format(names, why)
  end, reasons)
end

---@param found ollama.UpdatesFound
---@param all boolean whether what is out of date is pulled at once
---@return string
local function outcome(found, all)
  local models = so_many(found.checked, 'model')
  if found.checked == 0 then
    local is_asked = #(found.failures or {}) == 0
    return is_asked and 'No model is installed' or 'No model was looked at'
  elseif found.available == 0 then
    return ('%s looked at: none is out of date'):format(models)
  elseif all then
    return ('Updating %s: :Ollama models shows how it goes'):format(
      so_many(found.available, 'model')
    )
  end
  return ('%d of %s: a newer one is to be had'):format(found.available, models)
end

---@param found ollama.UpdatesFound
---@param all boolean
local function say(found, all)
  local lines = { outcome(found, all) }
  local unknown = found.unknown or 0
  if unknown > 0 then
    local why = all and ': :Ollama models says why' or ', for the reasons in the list'
    lines[#lines + 1] = ('Of %s it cannot be told%s'):format(so_many(unknown, 'model'), why)
  end
  vim.list_extend(lines, shortcomings(found))
  if found.available > 0 and not all then
    lines[#lines + 1] = 'u updates the one under the cursor, U all'
  end
  message.say(table.concat(lines, '\n'), #(found.failures or {}) > 0 and 'warn' or 'info')
end

--- Finds out which models are out of date and shows them in the manager; with `all`, those are pulled at once.
---@param references string[] the models that are meant; all when there are none
---@param all boolean
function M.update(references, all)
  if not all then
    require('ollama-remote.manager').open()
  end
  local params = { models = #references > 0 and references or nil, again = true }
  rpc.request('updates.check', params, function(failure, found)
    if failure and failure.code == 'HOST_EXITED' then
      local command = all and ':OllamaUpdate!' or ':OllamaUpdate'
      local text = 'The check for updates ended with the host: %s begins anew'
      return message.say(text:format(command), 'warn')
    elseif failure then
      return message.tell(failure)
    end
    say(found, all)
    vim.tbl_map(start, all and found.refs or {})
  end)
end

--- Pulls a model; without a name one is asked for.
---@param reference? string `server:model`, or a model of the default server
function M.pull(reference)
  if reference then
    return rpc.request('pulls.start', { model = reference }, function(failure)
      if failure then
        return message.tell(failure)
      end
      -- Neovim before 0.12 shows no progress of its own.
      message.whisper(('Pulling %s: :Ollama models shows how it goes'):format(reference))
    end)
  end
  require('ollama-remote.manager').open()
  message.whisper('p pulls a model by its name')
end

return M
