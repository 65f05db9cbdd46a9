-- The commands, the <Plug> maps and the default keys. What they do is in lua/ollama-remote, loaded on first use.
if vim.g.loaded_ollama_remote then
  return
end
vim.g.loaded_ollama_remote = true

if vim.fn.has('nvim-0.10') == 0 then
  vim.api.nvim_echo({ { 'ollama-remote.nvim needs Neovim 0.10 or newer', 'ErrorMsg' } }, true, {})
  return
end

---@param action string
---@return fun()
local function run(action)
  return function()
    require('ollama-remote.actions').run(action)
  end
end

-- Each row: action, modes, description, default key. Keys inside a chat are in keys.lua.
local actions = {
  { 'open', { 'n', 'x' }, 'open the chat, with the selection', '<leader>oo' },
  { 'default', { 'n' }, 'choose the default model', '<leader>od' },
  { 'model', { 'n' }, 'switch the model of this chat', '<leader>om' },
  { 'toggle', { 'n' }, 'show or hide the chat', '<leader>ot' },
  { 'horizontal', { 'n' }, 'show the chat below, and remember it', '<leader>oh' },
  { 'vertical', { 'n' }, 'show the chat beside, and remember it', '<leader>ov' },
  { 'close', { 'n' }, 'end the chat', '<leader>oc' },
  { 'save', { 'n' }, 'save the chat', '<leader>os' },
  { 'load', { 'n' }, 'pick a saved chat to read', '<leader>ol' },
  { 'clear', { 'n' }, 'move all saved chats to the trash', '<leader>ox' },
  { 'chats', { 'n' }, 'list the chats, living and saved' },
  { 'search', { 'n' }, 'search the saved chats' },
  { 'undo-clear', { 'n' }, 'bring back what was cleared' },
  { 'servers', { 'n' }, 'show the servers', '<leader>oS' },
  { 'models', { 'n' }, "show the servers' models", '<leader>oM' },
  { 'new', { 'n' }, 'begin another chat' },
  { 'ask', { 'n', 'x' }, 'type a question in the command line' },
  { 'log', { 'n' }, "open the host's log" },
  { 'restart', { 'n' }, 'start the host anew' },
  { 'send', { 'n', 'i' }, 'send the prompt' },
  { 'stop', { 'n', 'i' }, 'stop the answer, or give up editing a turn' },
  { 'stop-all', { 'n' }, 'stop the answer and take back the prompts that wait' },
  { 'again', { 'n' }, 'ask the last question again' },
  { 'resume', { 'n' }, 'go on with an answer that was cut' },
  { 'pull-missing', { 'n' }, "pull the model that the chat's server does not have, and ask it" },
  { 'queue', { 'n' }, 'take back one of the prompts that wait' },
  { 'edit', { 'n' }, 'take the turn into the prompt' },
  { 'yank', { 'n' }, 'yank the code block' },
  { 'yank-text', { 'n' }, "yank the turn's text" },
  { 'follow', { 'n' }, 'to the file that is named here' },
  { 'follow-split', { 'n' }, 'to the file that is named here, in a window of its own' },
  { 'outline', { 'n' }, 'list the turns' },
  { 'inside-turn', { 'x', 'o' }, "a turn's text" },
  { 'around-turn', { 'x', 'o' }, 'a whole turn' },
  { 'inside-code', { 'x', 'o' }, 'the code of a block' },
  { 'around-code', { 'x', 'o' }, 'a code block with its fence' },
  { 'next-turn', { 'n', 'x' }, 'to the next turn' },
  { 'previous-turn', { 'n', 'x' }, 'to the previous turn' },
  { 'prompt', { 'n' }, 'to the prompt' },
  { 'undo', { 'n' }, "back to the conversation's earlier version" },
  { 'redo', { 'n' }, "forth to the conversation's later version" },
  { 'next-variant', { 'n' }, "to the turn's next variant" },
  { 'previous-variant', { 'n' }, "to the turn's previous variant" },
  { 'diff', { 'n' }, 'compare two variants of the turn' },
  { 'delete-turn', { 'n' }, 'take the turn out' },
  { 'take-up', { 'n' }, 'go on with the saved chat' },
  { 'viewer-close', { 'n' }, 'close the saved chat' },
  { 'server-connect', { 'n' }, 'connect to the server' },
  { 'server-disconnect', { 'n' }, 'end its connection' },
  { 'server-test', { 'n' }, 'test the way to the server' },
  { 'server-add', { 'n' }, 'add a server' },
  { 'server-edit', { 'n' }, 'change the server' },
  { 'server-remove', { 'n' }, 'remove the server' },
  { 'server-default', { 'n' }, 'make it the default server' },
  { 'server-refresh', { 'n' }, 'ask for all servers anew, and try again what is down' },
  { 'server-close', { 'n' }, 'close the list of servers' },
  { 'service', { 'n' }, "look at the service of Ollama on the server's machine" },
  { 'models-show', { 'n' }, 'show all that is known of the model' },
  { 'models-pull', { 'n' }, 'pull a model by its name' },
  { 'models-update', { 'n' }, 'update the model, or the marked ones' },
  { 'models-update-all', { 'n' }, 'update all models that are out of date' },
  { 'models-check', { 'n' }, 'check for updates of models' },
  { 'models-cancel', { 'n' }, 'cancel the pull' },
  { 'models-mark', { 'n', 'x' }, 'mark the model or the selection, or take the marks away' },
  { 'models-delete', { 'n' }, 'delete the model, or the marked ones' },
  { 'models-copy', { 'n' }, 'copy the model under another name' },
  { 'models-load', { 'n' }, 'load the model, or the marked ones' },
  { 'models-unload', { 'n' }, 'unload the model, or the marked ones' },
  { 'models-keep', { 'n' }, 'keep the model, or the marked ones, in memory for a time' },
  { 'models-default', { 'n' }, 'make the model the default' },
  { 'models-chat', { 'n' }, 'begin a chat with the model' },
  { 'models-sort', { 'n' }, 'sort the models' },
  { 'models-filter', { 'n' }, 'show only some of the models' },
  { 'models-refresh', { 'n' }, 'ask all servers anew for their models' },
  { 'models-close', { 'n' }, 'close the models' },
  { 'help', { 'n' }, 'show the keys' },
}

local user = vim.g.ollama_remote or {}
local keymaps = user.keymaps
local ours = {}

for _, row in ipairs(actions) do
  local action, modes, description, default = row[1], row[2], row[3], row[4]
  local plug = '<Plug>(ollama-' .. action .. ')'
  local options = { callback = run(action), desc = 'Ollama: ' .. description, silent = true }
  local key = default
  if keymaps == false then
    key = nil
  elseif default and type(keymaps) == 'table' and keymaps[action] ~= nil then
    key = keymaps[action]
  end
  for _, mode in ipairs(modes) do
    vim.api.nvim_set_keymap(mode, plug, '', options)
    if key and vim.fn.maparg(key, mode) == '' then
      vim.api.nvim_set_keymap(mode, key, plug, { desc = options.desc, silent = true })
      ours[#ours + 1] = { mode, key, action }
    end
  end
end

-- What setup() may take away again: only what was set here.
vim.g.ollama_remote_keys = ours

vim.api.nvim_create_user_command('Ollama', function(options)
  require('ollama-remote.command').run(options)
end, {
  nargs = '*',
  bang = true,
  range = true,
  desc = 'Chat with the models on your own machines',
  complete = function(lead, line)
    return require('ollama-remote.command').complete(lead, line)
  end,
})

vim.api.nvim_create_user_command('OllamaUpdate', function(options)
  require('ollama-remote.models.updates').update(options.fargs, options.bang)
end, {
  nargs = '*',
  bang = true,
  desc = 'Find out which models are out of date; with ! fetch the newer ones',
  complete = function(lead, line)
    return require('ollama-remote.command').complete(lead, line)
  end,
})

-- A session remembers windows of chats, whose text it does not have.
vim.api.nvim_create_autocmd('SessionLoadPost', {
  group = vim.api.nvim_create_augroup('ollama-remote.session', { clear = true }),
  callback = function()
    require('ollama-remote.ui.strays').clear()
  end,
})
