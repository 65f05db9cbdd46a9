-- What is done with the model under the cursor of the manager: each key asks what it must, and then the host. What is done with
-- all that are marked, too, is manager/pulls.lua's, manager/deletion.lua's and manager/memory.lua's.
local M = {}

local manager = require('ollama-remote.manager')
local message = require('ollama-remote.message')
local names = require('ollama-remote.models.names')
local rpc = require('ollama-remote.rpc')
local work = require('ollama-remote.manager.work')

local view = manager.view

--- Does something with the model under the cursor, or says that there is none.
---@param callback fun(model: ollama.ModelRow)
---@return fun()
local function with_model(callback)
  return function()
    local line = manager.under_cursor()
    if line and line.model then
      return callback(line.model)
    end
    message.whisper('There is no model under the cursor')
  end
end

--- Does something with the model under the cursor if its server has it.
---@param callback fun(model: ollama.ModelRow)
---@return fun()
local function with_installed(callback)
  return with_model(function(model)
    local why = work.why_absent(model)
    if why then
      return message.whisper(why)
    end
    callback(model)
  end)
end

--- What stands on the server under a name; nothing when that is free.
---@param server string
---@param name string
---@return ollama.ModelRow?
local function installed(server, name)
  return vim.iter(view.servers[server] and view.servers[server].models or {}):find(function(model)
    return names.is_same(model.ref, server .. ':' .. name)
  end)
end

--- Ollama puts a copy in the place of what has its name, and says nothing.
M.copy = with_installed(function(model)
  vim.ui.input({ prompt = ('Copy %s as: '):format(model.ref) }, function(text)
    local to = vim.trim(text or '')
    local there = to ~= '' and installed(model.server, to) or nil
    local function copy()
      work.start(
        model,
        'copying …',
        'models.copy',
        work.about(model, { to = to }),
        function(failure)
          if not failure then
            message.say(('%s:%s is a copy of %s'):format(model.server, to, model.name))
          end
        end
      )
    end
    if there and there.ref == model.ref then
      message.whisper(('%s is its name already'):format(to))
    elseif there and not work.why_absent(there) then
      local question = ('%s is there already. Put a copy of %s in its place?'):format(
        there.ref,
        model.name
      )
      require('ollama-remote.question').confirm({
        title = question,
        yes = 'replace it',
        no = 'keep it',
        loses = true,
        on_yes = copy,
      })
    elseif to ~= '' then
      copy()
    end
  end)
end)

M.show = with_installed(function(model)
  require('ollama-remote.manager.show').open(model)
end)

--- Does something with the model under the cursor if a chat can be held with it; one of which nothing is known may.
---@param callback fun(model: ollama.ModelRow)
---@return fun()
local function with_talker(callback)
  return with_installed(function(model)
    local can = model.capabilities or {}
    if #can == 0 or vim.list_contains(can, 'completion') then
      return callback(model)
    end
    message.whisper(('%s holds no chats: its use is %s'):format(model.ref, table.concat(can, ', ')))
  end)
end

M.make_default = with_talker(function(model)
  rpc.request('models.default', { model = model.ref }, function(failure, kept)
    if failure then
      return message.tell(failure)
    end
    view.default_model = kept.model
    manager.render()
    message.say('New chats use ' .. kept.model)
  end)
end)

M.chat = with_talker(function(model)
  local shown = require('ollama-remote.ui').shown_here()
  local chat = require('ollama-remote.chats').new()
  chat.state.model = model.ref
  require('ollama-remote.chat').open(chat)
  require('ollama-remote.chat.ending').drop_blank(shown)
end)

function M.sort()
  local sorts = require('ollama-remote.manager.rows').SORTS
  local at = 0
  for index, sort in ipairs(sorts) do
    at = sort == view.sort and index or at
  end
  view.sort = sorts[at + 1]
  manager.render()
  message.whisper(
    view.sort and ('Sorted by ' .. view.sort) or "In the server's order, newest first"
  )
end

function M.filter()
  local options = { prompt = 'Only models with: ', default = view.filter }
  vim.ui.input(options, function(text)
    if text ~= nil then
      local wanted = vim.trim(text)
      view.filter = wanted ~= '' and wanted or nil
      manager.render()
    end
  end)
end

return M
