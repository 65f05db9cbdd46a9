-- What is done with models from the manager: each key asks what it must, and then the host. Pulls and updates are
-- manager/pulls.lua's.
local M = {}

local manager = require('ollama-remote.manager')
local message = require('ollama-remote.message')
local names = require('ollama-remote.models.names')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

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

--- Of a model that its server does not have there is only a pull.
---@param model ollama.ModelRow
---@return string?
local function why_absent(model)
  if model.size or model.digest then
    return nil
  end
  local is_coming = require('ollama-remote.manager.pull').is_running(model.pull)
  local next = is_coming and 'yet: x cancels its pull'
    or ': u pulls it again, x takes it off the list'
  return ('%s is not installed%s%s'):format(model.ref, is_coming and ' ' or '', next)
end

--- Does something with the model under the cursor if its server has it.
---@param callback fun(model: ollama.ModelRow)
---@return fun()
local function with_installed(callback)
  return with_model(function(model)
    local why = why_absent(model)
    if why then
      return message.whisper(why)
    end
    callback(model)
  end)
end

---@param model ollama.ModelRow
---@param more? table
---@return table params
local function about(model, more)
  return vim.tbl_extend('force', { server = model.server, model = model.name }, more or {})
end

--- Says in a sentence that chats of this Neovim use a model; nothing when none does.
---@param model ollama.ModelRow
---@return string
local function users(model)
  local titles = {}
  for _, chat in ipairs(require('ollama-remote.chats').all()) do
    if not chat.read_only and names.is_same(chat.state.model, model.ref) then
      local title = chat.state.title
      titles[#titles + 1] = title and ('"%s"'):format(title) or 'without a title'
    end
  end
  if #titles == 0 then
    return ''
  end
  local who = #titles == 1 and 'The chat %s uses it. ' or 'The chats %s use it. '
  return who:format(table.concat(titles, ', '))
end

--- Says in the row what is being done, until it is.
---@param model ollama.ModelRow
---@param words string
---@param method string
---@param params table
---@param callback? fun()
local function work(model, words, method, params, callback)
  view.busy[model.ref] = words
  manager.render()
  rpc.request(method, params, function(failure)
    view.busy[model.ref] = nil
    manager.render()
    session.tell(failure)
    if not failure and callback then
      callback()
    end
  end)
end

M.delete = with_installed(function(model)
  local size = require('ollama-remote.amounts').size(model.size)
  local what = size ~= '' and ('%s (%s)'):format(model.ref, size) or model.ref
  local uses = users(model)
    .. (names.is_same(view.default_model, model.ref) and 'It is the default model. ' or '')
  require('ollama-remote.question').confirm({
    title = ('%sDelete %s from its server?'):format(uses, what),
    yes = 'delete it',
    no = 'keep it',
    loses = true,
    on_yes = function()
      work(model, 'deleting …', 'models.delete', about(model), function()
        message.say(model.ref .. ' is deleted')
      end)
    end,
  })
end)

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
      work(model, 'copying …', 'models.copy', about(model, { to = to }), function()
        message.say(('%s:%s is a copy of %s'):format(model.server, to, model.name))
      end)
    end
    if there and there.ref == model.ref then
      message.whisper(('%s is its name already'):format(to))
    elseif there and not why_absent(there) then
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

M.load = with_installed(function(model)
  work(model, 'loading …', 'models.load', about(model))
end)

M.unload = with_installed(function(model)
  if not model.loaded then
    return message.whisper(model.ref .. ' is not loaded')
  end
  local function unload()
    work(model, 'unloading …', 'models.unload', about(model))
  end
  local chats = users(model)
  if chats == '' then
    return unload()
  end
  require('ollama-remote.question').confirm({
    title = ('%sUnload %s?'):format(chats, model.ref),
    yes = 'unload it',
    no = 'keep it loaded',
    loses = true,
    on_yes = unload,
  })
end)

--- Ollama takes a duration, and -1 for as long as it runs.
---@type { [1]: string, [2]: string|integer }[]
local SPANS = {
  { '5 minutes', '5m' },
  { '1 hour', '1h' },
  { 'for ever', -1 },
}
local ANOTHER = 'another time …'

--- Whether Ollama would take it: seconds, or numbers each with its unit.
---@param text string
---@return boolean
local function is_span(text)
  local rest = text:gsub('^%-', ''):gsub('%d+%.?%d*[hms]', '')
  return tonumber(text) ~= nil or (text ~= '' and rest == '')
end

M.keep_alive = with_installed(function(model)
  local choices = vim.tbl_map(function(span)
    return span[1]
  end, SPANS)
  choices[#choices + 1] = ANOTHER
  local options = { prompt = ('Keep %s in memory for'):format(model.ref), kind = 'ollama-keep' }
  vim.ui.select(choices, options, function(choice, index)
    local function keep(span)
      work(model, 'loading …', 'models.load', about(model, { keep_alive = span }))
    end
    if choice == ANOTHER then
      vim.ui.input({ prompt = 'For how long, as 90m or 24h: ' }, function(text)
        local span = vim.trim(text or ''):gsub('%s', '')
        if is_span(span) then
          keep(tonumber(span) or span)
        elseif span ~= '' then
          message.whisper('A time is written as 90m, 24h or 1h30m')
        end
      end)
    elseif choice then
      keep(SPANS[index][2])
    end
  end)
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
      return session.tell(failure)
    end
    view.default_model = kept.model
    manager.render()
    message.say('New chats use ' .. kept.model)
  end)
end)

M.chat = with_talker(function(model)
  local chat = require('ollama-remote.chats').new()
  chat.state.model = model.ref
  require('ollama-remote.chat').open(chat)
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

--- Marks the model, or takes its mark away, and goes to the next one.
M.mark = with_model(function(model)
  view.marked[model.ref] = not view.marked[model.ref] or nil
  manager.render()
  local row = vim.api.nvim_win_get_cursor(0)[1]
  for next_row = row + 1, #view.lines do
    local other = view.lines[next_row].model
    if other and other.ref ~= model.ref then
      return vim.api.nvim_win_set_cursor(0, { next_row, 0 })
    end
  end
end)

return M
