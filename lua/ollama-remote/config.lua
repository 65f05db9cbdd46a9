-- What Lua itself reads of the configuration. The whole of it is checked and understood by the host.
local M = {}

--- What a user may write, as far as Lua reads it; all else goes to the host as it is.
---@class ollama.UserConfig
---@field keymaps? false|table<string, string|false> keys by action, `false` for none
---@field split_preference? ollama.Layout where the chat opens
---@field node? string the Node.js binary (>= 20.18.1)
---@field picker? string what lists are shown with, of choose/backend.lua

--- What Lua reads.
---@class ollama.Config
---@field keymaps false|table<string, string|false>
---@field split_preference ollama.Layout
---@field node string
---@field picker string

---@type table<string, any>
local written = {}

--- What was chosen in the editor since it started, and is kept in the file by the host.
---@type table<string, any>
local chosen = {}

M.LAYOUTS = { 'vertical', 'horizontal', 'float', 'tab', 'current' }

--- Keeps what the user gave to setup(); a later call adds to an earlier one.
---@param options? table
function M.set(options)
  written = vim.tbl_deep_extend('force', written, options or {})
end

--- Chooses an option in the editor: it counts at once, and the host keeps it for the next time.
---@param option 'split_preference'
---@param value string
function M.choose(option, value)
  if chosen[option] == value then
    return
  end
  chosen[option] = value
  -- The windows come first.
  vim.schedule(function()
    local message = require('ollama-remote.message')
    require('ollama-remote.rpc').request('config.keep', { [option] = value }, message.tell)
  end)
end

--- The user's own words, for the host: `vim.g.ollama_remote` and under it what setup() was given.
---@return table
function M.written()
  local global = type(vim.g.ollama_remote) == 'table' and vim.g.ollama_remote or {}
  return vim.tbl_deep_extend('force', global, written)
end

---@return string
function M.file()
  return vim.fn.stdpath('config') .. '/ollama_config.lua'
end

--- Where the host keeps what it must not lose.
---@return string
function M.data_dir()
  return vim.fn.stdpath('data') .. '/ollama'
end

---@return string
function M.log_file()
  return vim.fn.stdpath('state') .. '/ollama-remote/host.log'
end

--- Finds one plain string in the text of ollama_config.lua. The file is never executed, not even here.
---@param text string
---@param key string
---@return string?
function M.peek(text, key)
  for line in vim.gsplit(text, '\n', { plain = true }) do
    local _, value = line:match('^[^-]-%f[%w_]' .. key .. '%s*=%s*([\'"])(.-)%1')
    if value then
      return value
    end
  end
end

---@return string
local function file_text()
  local handle = io.open(M.file(), 'r')
  if not handle then
    return ''
  end
  local text = handle:read(65536) or ''
  handle:close()
  return text
end

--- Everything present; a value of the wrong type counts as absent here, for the host tells of it by name.
---@return ollama.Config
function M.resolved()
  local user = M.written()
  local text = file_text()
  -- As with the host: the file holds what was chosen last.
  local split = chosen.split_preference or M.peek(text, 'split_preference') or user.split_preference
  local node = user.node or M.peek(text, 'node')
  local picker = user.picker or M.peek(text, 'picker')
  local keymaps = user.keymaps
  return {
    keymaps = keymaps == false and false or type(keymaps) == 'table' and keymaps or {},
    split_preference = vim.list_contains(M.LAYOUTS, split) and split or M.LAYOUTS[1],
    node = type(node) == 'string' and vim.fn.expand(node) or 'node',
    picker = type(picker) == 'string' and picker or 'auto',
  }
end

return M
