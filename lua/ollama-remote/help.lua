-- The keys, as a float: those inside the plugin's buffers from their table, those outside as they are mapped now. How the
-- float fits the screen is in help/window.lua.
local M = {}

local api = vim.api

---@class ollama.HelpRow
---@field lhs string
---@field desc string

---@class ollama.HelpSection
---@field title string
---@field rows ollama.HelpRow[]

local TITLES = {
  prompt = 'In the prompt',
  transcript = 'In the transcript',
  ['prompt+transcript'] = 'In both',
  viewer = 'In a saved chat that is read',
  servers = 'In the list of servers',
  models = 'In the list of models',
}

--- What nobody finds by looking at keys.
local MORE = {
  { lhs = ':Ollama', desc = 'and <Tab>: new, chats, search, rename, recover, set …' },
  { lhs = ':help', desc = 'ollama-remote, the manual' },
}

--- By filetype.
---@type table<string, ollama.Place>
local LISTS = { ['ollama-servers'] = 'servers', ['ollama-models'] = 'models' }

--- The keys by which an action can be called from anywhere, whoever mapped them.
---@return ollama.HelpRow[]
local function global_keys()
  local found = {}
  for _, mode in ipairs({ 'n', 'x' }) do
    for _, map in ipairs(api.nvim_get_keymap(mode)) do
      local action = (map.rhs or ''):match('^<Plug>%(ollama%-(.-)%)$')
      if action then
        local plug = vim.fn.maparg(map.rhs, mode, false, true)
        -- A leader that is a space would be invisible.
        found[map.lhs] = {
          lhs = (map.lhs:gsub(' ', '<Space>')),
          desc = (plug.desc or action):gsub('^Ollama: ', ''),
        }
      end
    end
  end
  local keys = vim.tbl_values(found)
  table.sort(keys, function(a, b)
    return a.lhs < b.lhs
  end)
  return keys
end

--- By which keys a row's action is done in a buffer now: by its own, or by those that it was moved to.
---@param buffer integer
---@param key ollama.Key
---@return string[]
local function mapped(buffer, key)
  local found = {}
  for _, map in ipairs(api.nvim_buf_get_keymap(buffer, key.modes[#key.modes])) do
    if map.desc == 'Ollama: ' .. key.desc then
      if vim.keycode(map.lhs) == vim.keycode(key.lhs) then
        return { key.lhs }
      end
      found[#found + 1] = map.lhs
    end
  end
  return found
end

--- Puts the keys of one meaning into one row.
---@param rows ollama.HelpRow[]
---@param lhs string
---@param desc string
local function add(rows, lhs, desc)
  for _, row in ipairs(rows) do
    if row.desc == desc then
      local known = vim.list_contains(vim.split(row.lhs, ' '), lhs)
      row.lhs = known and row.lhs or row.lhs .. ' ' .. lhs
      return
    end
  end
  rows[#rows + 1] = { lhs = lhs, desc = desc }
end

---@param buffers table<ollama.Place, integer>
---@return table<string, ollama.HelpRow[]> by where the keys are
local function local_keys(buffers)
  local found = {}
  for _, key in ipairs(require('ollama-remote.keys').table) do
    local where = table.concat(key.where, '+')
    for _, place in ipairs(key.where) do
      for _, lhs in ipairs(buffers[place] and mapped(buffers[place], key) or {}) do
        found[where] = found[where] or {}
        add(found[where], lhs, key.desc)
      end
    end
  end
  return found
end

--- The sections, that of the place where the cursor is first.
---@return ollama.HelpSection[]
local function sections()
  local chats = require('ollama-remote.chats')
  local buffer = api.nvim_get_current_buf()
  local chat, part = chats.of_buffer(buffer)
  local list = LISTS[vim.bo[buffer].filetype]
  chat = chat or (not list and chats.current()) or nil
  local found = local_keys(list and { [list] = buffer } or {
    prompt = chat and chats.buffer(chat, 'prompt'),
    transcript = chat and chats.buffer(chat, 'transcript'),
    viewer = chat and chat.read_only and chats.buffer(chat, 'transcript') or nil,
  })
  local order = part == 'transcript' and { 'viewer', 'transcript', 'prompt+transcript', 'prompt' }
    or { 'prompt', 'prompt+transcript', 'transcript' }
  for where in vim.spairs(found) do
    if not vim.list_contains(order, where) then
      order[#order + 1] = where
    end
  end
  local all = {}
  for _, where in ipairs(order) do
    if found[where] then
      all[#all + 1] = { title = TITLES[where] or ('In the ' .. where), rows = found[where] }
    end
  end
  all[#all + 1] = { title = 'Everywhere', rows = global_keys() }
  all[#all + 1] = { title = 'Without a key of their own', rows = MORE }
  return vim.tbl_filter(function(section)
    return #section.rows > 0
  end, all)
end

function M.open()
  require('ollama-remote.help.window').open(sections())
end

return M
