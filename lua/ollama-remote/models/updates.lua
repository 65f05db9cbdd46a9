-- :OllamaUpdate, :Ollama update and :Ollama pull: which models are out of date, and how newer ones are fetched. What is
-- found stands in the manager; nothing here waits.
local M = {}

local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

---@param count integer
---@param what string
---@return string
local function so_many(count, what)
  return count == 1 and ('1 %s'):format(what) or ('%d %ss'):format(count, what)
end

---@param reference string `server:model`, or a model of the default server
local function start(reference)
  rpc.request('pulls.start', { model = reference }, session.tell)
end

---@param found { checked: integer, available: integer, refs: string[] }
local function say(found)
  if found.available == 0 then
    return message.say(
      ('%s looked at: none is out of date'):format(so_many(found.checked, 'model'))
    )
  end
  local text = ('%d of %s: a newer one is to be had'):format(
    found.available,
    so_many(found.checked, 'model')
  )
  message.say(text .. '\nu updates the one under the cursor, U all')
end

---@param found { checked: integer, available: integer, refs: string[] }
local function pull_all(found)
  if found.available > 0 then
    message.say(
      ('Updating %s: :Ollama models shows how it goes'):format(so_many(found.available, 'model'))
    )
    return vim.tbl_map(start, found.refs)
  end
  say(found)
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
    if failure then
      return session.tell(failure)
    end
    return all and pull_all(found) or say(found)
  end)
end

--- Pulls a model; without a name one is asked for.
---@param reference? string `server:model`, or a model of the default server
function M.pull(reference)
  if reference then
    return start(reference)
  end
  require('ollama-remote.manager').open()
  message.whisper('p pulls a model by its name')
end

return M
