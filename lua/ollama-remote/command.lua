-- :Ollama and its subcommands.
local M = {}

local message = require('ollama-remote.message')

---@class ollama.Invocation
---@field rest string what stands after the subcommand
---@field range? integer[] first and last line
---@field bang boolean

---@param call ollama.Invocation
local function open(call)
  local front = require('ollama-remote')
  if call.range then
    return front.quote(require('ollama-remote.selection').of_range(call.range[1], call.range[2]))
  end
  front.open()
end

---@param call ollama.Invocation
local function ask(call)
  if call.rest == '' then
    return message.say('What is the question? :Ollama ask {question}', 'error')
  end
  local range = call.range
  local excerpt = range and require('ollama-remote.selection').of_range(range[1], range[2])
  require('ollama-remote').ask(call.rest, excerpt)
end

---@param call ollama.Invocation
local function begin(call)
  require('ollama-remote.chat').new(call.rest ~= '' and call.rest or nil)
end

---@param does 'switch'|'default'
---@return fun(call: ollama.Invocation)
local function with_model(does)
  return function(call)
    require('ollama-remote.models')[does](call.rest ~= '' and call.rest or nil)
  end
end

---@param does 'remember'|'forget'
---@return fun()
local function with_secrets(does)
  return function()
    require('ollama-remote.secrets')[does]()
  end
end

---@param does 'load'|'search'|'rename'|'delete'
---@return fun(call: ollama.Invocation)
local function with_saved(does)
  return function(call)
    require('ollama-remote.saved')[does](call.rest ~= '' and call.rest or nil)
  end
end

---@param call ollama.Invocation
local function save(call)
  local chat = require('ollama-remote.chats').current()
  require('ollama-remote.saved.save').save(chat, call.rest ~= '' and call.rest or nil)
end

---@param action string
---@return fun()
local function plain(action)
  return function()
    require('ollama-remote.actions').run(action)
  end
end

---@param call ollama.Invocation
local function delete_turn(call)
  require('ollama-remote.chat.history').delete(call.rest)
end

---@param call ollama.Invocation
local function set(call)
  require('ollama-remote.chat.parameters').set(call.rest)
end

---@param call ollama.Invocation
local function stop(call)
  require('ollama-remote.actions').run(call.bang and 'stop-all' or 'stop')
end

---@param call ollama.Invocation
local function models(call)
  local only = vim.split(call.rest, '%s+', { trimempty = true })
  require('ollama-remote.manager').open(#only > 0 and only or nil)
end

---@param call ollama.Invocation
local function recover(call)
  require('ollama-remote.chat.left').pick(call.bang)
end

---@param call ollama.Invocation
local function update(call)
  local models = vim.split(call.rest, '%s+', { trimempty = true })
  require('ollama-remote.models.updates').update(models, call.bang)
end

---@param call ollama.Invocation
local function pull(call)
  require('ollama-remote.models.updates').pull(call.rest ~= '' and call.rest or nil)
end

---@param call ollama.Invocation
local function service(call)
  require('ollama-remote.servers.service').look(call.rest ~= '' and call.rest or nil)
end

---@type table<string, fun(call: ollama.Invocation)>
local subcommands = {
  ask = ask,
  chat = open,
  chats = plain('chats'),
  clear = plain('clear'),
  close = plain('close'),
  default = with_model('default'),
  ['delete-turn'] = delete_turn,
  delete = with_saved('delete'),
  forget = with_secrets('forget'),
  horizontal = plain('horizontal'),
  load = with_saved('load'),
  log = plain('log'),
  model = with_model('switch'),
  models = models,
  new = begin,
  pull = pull,
  queue = plain('queue'),
  recover = recover,
  remember = with_secrets('remember'),
  restart = plain('restart'),
  rename = with_saved('rename'),
  resume = plain('resume'),
  save = save,
  search = with_saved('search'),
  servers = plain('servers'),
  service = service,
  set = set,
  stop = stop,
  toggle = plain('toggle'),
  update = update,
  vertical = plain('vertical'),
  ['undo-clear'] = plain('undo-clear'),
}

---@return string[]
local function names()
  local all = vim.tbl_keys(subcommands)
  table.sort(all)
  return all
end

---@param options table of nvim_create_user_command
function M.run(options)
  local name, bang, rest = options.args:match('^([^%s!]*)(!?)%s*(.-)%s*$')
  local subcommand = subcommands[name == '' and 'chat' or name]
  if not subcommand then
    local near = vim.fn.matchfuzzy(names(), name)[1]
    local advice = near and ('did you mean :Ollama %s?'):format(near)
      or '<Tab> after :Ollama shows what it knows'
    return message.say((':Ollama knows no "%s"; %s'):format(name, advice), 'error')
  end
  local range = options.range > 0 and { options.line1, options.line2 } or nil
  subcommand({ rest = rest, range = range, bang = bang == '!' or options.bang == true })
end

---@param candidates string[]
---@param lead string
---@return string[]
local function beginning_with(candidates, lead)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

---@param lead string
---@param line string
---@return string[]
function M.complete(lead, line)
  local before = line:sub(1, #line - #lead)
  local saved = line:match('Ollama%s+load%s+(.*)$') or line:match('Ollama%s+delete%s+(.*)$')
  if saved then
    -- What is completed is the last word of a name in which there may be several.
    return vim.tbl_map(function(name)
      return name:sub(#saved - #lead + 1)
    end, beginning_with(require('ollama-remote.saved.walks').known(), saved))
  end
  local name = before:match('Ollama%s+(%S+)%s+$')
  if name == 'model' or name == 'default' then
    return beginning_with(require('ollama-remote.models.picker').known(), lead)
  end
  if before:match('Ollama%s+models%s') or before:match('Ollama%s+service%s+$') then
    return require('ollama-remote.manager.names').complete_servers(lead)
  end
  if before:match('Ollama%s*[uU]pdate!?%s') then
    return require('ollama-remote.manager.names').complete_installed(lead)
  end
  if before:match('Ollama%s+pull%s') then
    local manager_names = require('ollama-remote.manager.names')
    manager_names.load()
    return manager_names.complete(lead)
  end
  if before:match('Ollama%s+set%s') then
    return beginning_with(require('ollama-remote.chat.parameters').names(), lead)
  end
  return before:match('Ollama%s+$') and beginning_with(names(), lead) or {}
end

return M
