-- What every deed with installed models needs: that they are installed, which chats use them, and the words in their rows
-- until it is done. The deeds are manager/actions.lua's, manager/deletion.lua's and manager/memory.lua's.
local M = {}

local manager = require('ollama-remote.manager')
local message = require('ollama-remote.message')
local names = require('ollama-remote.models.names')
local rpc = require('ollama-remote.rpc')

local view = manager.view

--- Of a model that its server does not have there is only a pull.
---@param model ollama.ModelRow
---@return string?
function M.why_absent(model)
  if model.size or model.digest then
    return nil
  end
  local is_coming = require('ollama-remote.manager.pull').is_running(model.pull)
  local next = is_coming and 'yet: x cancels its pull'
    or ': u pulls it again, x takes it off the list'
  return ('%s is not installed%s%s'):format(model.ref, is_coming and ' ' or '', next)
end

--- Those of the models that are meant which their servers have; says why there are none.
---@return ollama.ModelRow[]
function M.installed()
  local meant = require('ollama-remote.manager.marks').meant()
  local found = vim.tbl_filter(function(model)
    return not M.why_absent(model)
  end, meant)
  if #found == 0 and meant[1] then
    message.whisper(M.why_absent(meant[1]))
  end
  return found
end

---@param model ollama.ModelRow
---@param more? table
---@return table params
function M.about(model, more)
  return vim.tbl_extend('force', { server = model.server, model = model.name }, more or {})
end

--- The chats of this Neovim that have a model, as a list; nothing when none has.
---@param model ollama.ModelRow
---@return string?
local function chats_with(model)
  local titles = {}
  for _, chat in ipairs(require('ollama-remote.chats').all()) do
    if not chat.read_only and names.is_same(chat.state.model, model.ref) then
      local title = chat.state.title
      titles[#titles + 1] = title and ('"%s"'):format(title) or 'without a title'
    end
  end
  if #titles == 0 then
    return nil
  end
  local is_one = #titles == 1
  return ('The %s %s %s'):format(
    is_one and 'chat' or 'chats',
    table.concat(titles, ', '),
    is_one and 'uses' or 'use'
  )
end

--- Says in sentences which chats use the models; nothing when none does. One that is alone is named by the question.
---@param models ollama.ModelRow[]
---@return string
function M.users(models)
  local said = ''
  for _, model in ipairs(models) do
    local who = chats_with(model)
    said = who and ('%s%s %s. '):format(said, who, #models == 1 and 'it' or model.ref) or said
  end
  return said
end

--- Says in the row what is being done, until it is.
---@param model ollama.ModelRow
---@param words string
---@param method string
---@param params table
---@param callback? fun(failure?: ollama.Error) when it is done, or has failed, which is said already
function M.start(model, words, method, params, callback)
  view.busy[model.ref] = words
  manager.render()
  rpc.request(method, params, function(failure)
    view.busy[model.ref] = nil
    manager.render()
    message.tell(failure)
    if callback then
      callback(failure)
    end
  end)
end

return M
