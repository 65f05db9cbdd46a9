-- The public front: everything that a person's configuration may call. Nothing is loaded before it is used.
local M = {}

---@param options table
local function check(options)
  local split = options.split_preference
  local layouts = require('ollama-remote.config').LAYOUTS
  local keymaps = options.keymaps
  local message = require('ollama-remote.message')
  if split ~= nil and not vim.list_contains(layouts, split) then
    local known = table.concat(layouts, ', ')
    message.say('setup(): split_preference is one of ' .. known, 'error')
  end
  if keymaps ~= nil and keymaps ~= false and type(keymaps) ~= 'table' then
    message.say('setup(): keymaps is false or a table of keys by action', 'error')
  end
  if options.node ~= nil and type(options.node) ~= 'string' then
    message.say('setup(): node is the path of the Node.js binary', 'error')
  end
end

--- Configures the plugin. It is not needed: without it the defaults and ollama_config.lua count.
---@param options? ollama.UserConfig
function M.setup(options)
  options = options or {}
  check(options)
  require('ollama-remote.config').set(options)
  local keymaps = options.keymaps
  if keymaps ~= false and type(keymaps) ~= 'table' then
    return
  end
  if vim.g.loaded_ollama_remote then
    return require('ollama-remote.keys').change_defaults(keymaps)
  end
  -- The plugin's own file comes later, when setup() is called from init.lua.
  vim.g.ollama_remote = vim.tbl_extend('force', vim.g.ollama_remote or {}, { keymaps = keymaps })
end

--- For statuslines: what is known now. Never waits, and loads nothing that is not loaded.
---@return ollama.Status
function M.status()
  return require('ollama-remote.status').read()
end

function M.open()
  require('ollama-remote.chat').open()
end

function M.toggle()
  require('ollama-remote.chat').toggle()
end

function M.close()
  require('ollama-remote.chat.ending').close()
end

function M.send()
  require('ollama-remote.chat').send()
end

function M.stop()
  require('ollama-remote.chat').stop()
end

function M.again()
  require('ollama-remote.chat').again()
end

--- Switches the model of the chat; without a name it is picked.
---@param name? string `server:model`
function M.model(name)
  require('ollama-remote.models').switch(name)
end

--- Sets the model of new chats; without a name it is picked.
---@param name? string `server:model`
function M.default(name)
  require('ollama-remote.models').default(name)
end

--- Opens the chat and puts the excerpt into the prompt, the cursor where the question goes.
---@param excerpt ollama.Excerpt
function M.quote(excerpt)
  local quoted = require('ollama-remote.selection').quote(excerpt)
  local chat = require('ollama-remote.chat').open()
  table.insert(quoted, '')
  require('ollama-remote.chat.prompt').add(chat, quoted)
  vim.cmd.startinsert()
end

--- Asks at once, about the excerpt if there is one.
---@param question string
---@param excerpt? ollama.Excerpt
function M.ask(question, excerpt)
  local text = question
  if excerpt then
    local quoted = require('ollama-remote.selection').quote(excerpt)
    text = table.concat(quoted, '\n') .. '\n\n' .. question
  end
  local chat = require('ollama-remote.chat')
  chat.submit(chat.show(), { text = text })
end

return M
