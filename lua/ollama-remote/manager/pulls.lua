-- Pulling, updating and checking from the manager. What comes of it is told by the host and stands in the rows.
local M = {}

local manager = require('ollama-remote.manager')
local marks = require('ollama-remote.manager.marks')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')

local view = manager.view

--- The server that is meant: that of the section under the cursor, the only one, or the one that is chosen.
---@param callback fun(server: string)
local function with_server(callback)
  local line = manager.under_cursor()
  local servers = manager.servers()
  local name = line and line.server or (#servers == 1 and servers[1])
  if name then
    return callback(name)
  elseif #servers == 0 then
    return message.whisper('No server is known yet')
  end
  vim.ui.select(servers, { prompt = 'On which server?', kind = 'ollama-server' }, function(choice)
    if choice then
      callback(choice)
    end
  end)
end

---@param server string
---@param model string
local function start(server, model)
  rpc.request('pulls.start', { server = server, model = model }, message.tell)
end

--- Asks for a name and pulls it; names are completed with <Tab>. Keys that were typed already are part of the name, so the
--- question does not wait for the names: they come while it stands.
function M.pull()
  with_server(function(server)
    local names = require('ollama-remote.manager.names')
    names.load()
    local options = {
      prompt = ('Pull to %s: '):format(server),
      completion = "customlist,v:lua.require'ollama-remote.manager.names'.complete",
    }
    vim.ui.input(options, function(text)
      local name = names.without_server(vim.trim(text or ''), server)
      if name ~= '' then
        start(server, name)
        manager.want(server .. ':' .. name)
      end
    end)
  end)
end

--- What was made on the server has nowhere to be pulled from, and what runs elsewhere is always new.
---@param model ollama.ModelRow
---@return boolean
local function can_be_pulled(model)
  local state = model.update and model.update.state
  return state ~= 'local' and state ~= 'cloud'
end

--- Pulls the marked models anew, or the one under the cursor; what the server has of them is not fetched again.
function M.update()
  for _, model in ipairs(marks.meant()) do
    if can_be_pulled(model) then
      start(model.server, model.name)
    else
      message.say(model.ref .. ' comes from no registry: there is nothing to pull')
    end
  end
  marks.clear()
end

--- Pulls all that are known to be out of date.
function M.update_all()
  local count, is_checked = 0, false
  for _, name in ipairs(manager.servers()) do
    for _, model in ipairs((view.servers[name] or { models = {} }).models) do
      is_checked = is_checked or model.update ~= nil
      if model.update and model.update.state == 'available' then
        count = count + 1
        start(name, model.name)
      end
    end
  end
  if count == 0 then
    local words = is_checked and 'No model is known to be out of date'
      or 'It is not known what is out of date: c checks'
    message.whisper(words)
  end
end

--- Has the registries asked, of the marked models or of all of the servers that can be asked for their own.
function M.check()
  local by_server = {}
  for ref in pairs(view.marked) do
    local model = manager.find(ref)
    if model then
      by_server[model.server] = vim.list_extend(by_server[model.server] or {}, { model.name })
    end
  end
  local is_marked, count = next(by_server) ~= nil, 0
  for _, server in ipairs(manager.servers()) do
    local known = view.servers[server]
    local is_up = known ~= nil and known.state == 'ready' and known.read ~= nil
    if by_server[server] or (not is_marked and is_up) then
      count = count + 1
      local params = { server = server, models = by_server[server], again = true }
      rpc.request('updates.check', params, message.tell)
    end
  end
  if count == 0 then
    message.whisper('No server can be asked for its models now: r tries again')
  end
end

--- Ends the pull under the cursor; what was fetched stays on the server for the next one.
function M.cancel()
  local line = manager.under_cursor()
  local model = line and line.model
  if not model or not model.pull then
    return message.whisper('Nothing is pulled under the cursor')
  end
  rpc.request('pulls.cancel', { server = model.server, model = model.name }, message.tell)
end

return M
