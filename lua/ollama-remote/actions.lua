-- Each action that has a <Plug> map, by its name. The maps are in plugin/, what the actions do is elsewhere.
local M = {}

---@return table
local function chat()
  return require('ollama-remote.chat')
end

local function open()
  local excerpt = require('ollama-remote.selection').of_visual()
  if excerpt then
    return require('ollama-remote').quote(excerpt)
  end
  chat().open()
end

--- Leaves the question to be typed; with a selection Neovim puts its range before the command.
local function ask()
  vim.api.nvim_feedkeys(':Ollama ask ', 'n', false)
end

---@param kind 'turn'|'code'
---@param around boolean
---@return fun()
local function select(kind, around)
  return function()
    require('ollama-remote.transcript.objects').select(kind, around)
  end
end

---@type table<string, fun()>
local table_of_actions = {
  open = open,
  new = function()
    chat().new()
  end,
  ask = ask,
  default = function()
    require('ollama-remote.models').default()
  end,
  model = function()
    require('ollama-remote.models').switch()
  end,
  toggle = function()
    chat().toggle()
  end,
  horizontal = function()
    chat().arrange('horizontal')
  end,
  vertical = function()
    chat().arrange('vertical')
  end,
  close = function()
    require('ollama-remote.chat.ending').close()
  end,
  chats = function()
    require('ollama-remote.saved.shelf').open()
  end,
  save = function()
    require('ollama-remote.saved.save').save(require('ollama-remote.chats').current())
  end,
  load = function()
    require('ollama-remote.saved').load()
  end,
  search = function()
    require('ollama-remote.saved').search()
  end,
  clear = function()
    require('ollama-remote.saved').clear()
  end,
  ['undo-clear'] = function()
    require('ollama-remote.saved').undo_clear()
  end,
  ['take-up'] = function()
    require('ollama-remote.saved.viewer').take_up()
  end,
  ['viewer-close'] = function()
    require('ollama-remote.saved.viewer').close_here()
  end,
  log = function()
    require('ollama-remote.log').open()
  end,
  restart = function()
    chat().restart()
  end,
  send = function()
    chat().send()
  end,
  stop = function()
    chat().stop()
  end,
  ['stop-all'] = function()
    chat().stop_all()
  end,
  again = function()
    chat().again()
  end,
  resume = function()
    chat().resume()
  end,
  ['pull-missing'] = function()
    require('ollama-remote.chat.absent').pull()
  end,
  queue = function()
    require('ollama-remote.chat.queue').pick()
  end,
  recover = function()
    require('ollama-remote.chat.left').pick()
  end,
  edit = function()
    require('ollama-remote.chat.history').take()
  end,
  yank = function()
    require('ollama-remote.transcript.turns').yank_code()
  end,
  ['yank-text'] = function()
    require('ollama-remote.transcript.turns').yank_text()
  end,
  follow = function()
    require('ollama-remote.transcript.follow').follow(false)
  end,
  ['follow-split'] = function()
    require('ollama-remote.transcript.follow').follow(true)
  end,
  outline = function()
    require('ollama-remote.transcript.outline').open()
  end,
  ['inside-turn'] = select('turn', false),
  ['around-turn'] = select('turn', true),
  ['inside-code'] = select('code', false),
  ['around-code'] = select('code', true),
  ['next-turn'] = function()
    require('ollama-remote.transcript.turns').jump(1)
  end,
  ['previous-turn'] = function()
    require('ollama-remote.transcript.turns').jump(-1)
  end,
  prompt = function()
    chat().show()
    vim.cmd.startinsert({ bang = true })
  end,
  undo = function()
    require('ollama-remote.chat.history').step(-1)
  end,
  redo = function()
    require('ollama-remote.chat.history').step(1)
  end,
  ['next-variant'] = function()
    require('ollama-remote.chat.history').variant(1)
  end,
  ['previous-variant'] = function()
    require('ollama-remote.chat.history').variant(-1)
  end,
  diff = function()
    require('ollama-remote.chat.history').diff()
  end,
  ['delete-turn'] = function()
    require('ollama-remote.chat.history').delete_here()
  end,
  servers = function()
    require('ollama-remote.servers').open()
  end,
  models = function()
    require('ollama-remote.manager').open()
  end,
  ['server-connect'] = function()
    require('ollama-remote.servers').connect()
  end,
  ['server-disconnect'] = function()
    require('ollama-remote.servers').disconnect()
  end,
  ['server-test'] = function()
    require('ollama-remote.servers').test()
  end,
  ['server-add'] = function()
    require('ollama-remote.servers.edit').add()
  end,
  ['server-edit'] = function()
    require('ollama-remote.servers').edit()
  end,
  ['server-remove'] = function()
    require('ollama-remote.servers').remove()
  end,
  ['server-default'] = function()
    require('ollama-remote.servers').make_default()
  end,
  ['server-refresh'] = function()
    require('ollama-remote.servers').try_again()
  end,
  ['server-close'] = function()
    require('ollama-remote.servers').close()
  end,
  service = function()
    require('ollama-remote.servers.service').look_here()
  end,
  help = function()
    require('ollama-remote.help').open()
  end,
}

--- The keys of the manager: file and function.
---@type table<string, { [1]: string, [2]: string }>
local of_the_manager = {
  ['models-show'] = { 'manager.actions', 'show' },
  ['models-pull'] = { 'manager.pulls', 'pull' },
  ['models-update'] = { 'manager.pulls', 'update' },
  ['models-update-all'] = { 'manager.pulls', 'update_all' },
  ['models-check'] = { 'manager.pulls', 'check' },
  ['models-cancel'] = { 'manager.pulls', 'cancel' },
  ['models-mark'] = { 'manager.marks', 'mark' },
  ['models-delete'] = { 'manager.deletion', 'delete' },
  ['models-copy'] = { 'manager.actions', 'copy' },
  ['models-load'] = { 'manager.memory', 'load' },
  ['models-unload'] = { 'manager.memory', 'unload' },
  ['models-keep'] = { 'manager.memory', 'keep' },
  ['models-default'] = { 'manager.actions', 'make_default' },
  ['models-chat'] = { 'manager.actions', 'chat' },
  ['models-sort'] = { 'manager.actions', 'sort' },
  ['models-filter'] = { 'manager.actions', 'filter' },
  ['models-refresh'] = { 'manager', 'refresh' },
  ['models-close'] = { 'manager', 'close' },
}

for action, place in pairs(of_the_manager) do
  table_of_actions[action] = function()
    require('ollama-remote.' .. place[1])[place[2]]()
  end
end

---@param action string
function M.run(action)
  table_of_actions[action]()
end

return M
