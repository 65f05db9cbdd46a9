-- Which picker shows the lists, and why. How each does it is in its own file.
local M = {}

local select = require('ollama-remote.choose.select')

---@class ollama.Backend
---@field name 'select'|'telescope'|'fzf-lua'|'snacks'|'mini'|'fzf'
---@field why string a sentence for :checkhealth, without a full stop
---@field missing? string what was configured and is not there

--- Whether a module is there, without loading it: a picker that is loaded on demand stays asleep until a list is shown.
---@param name string
---@return boolean
local function is_loadable(name)
  local path = 'lua/' .. name:gsub('%.', '/')
  return package.loaded[name] ~= nil
    or #vim.api.nvim_get_runtime_file(path .. '.lua', false) > 0
    or #vim.api.nvim_get_runtime_file(path .. '/init.lua', false) > 0
end

---@return boolean
local function has_fzf()
  return vim.fn.executable('fzf') == 1
end

--- How each is found. `is_set_up` is stronger: somebody has asked for it in this Neovim.
---@type table<string, { is_there: fun(): boolean, is_set_up?: fun(): boolean, adapter: string }>
local PICKERS = {
  select = {
    adapter = 'select',
    is_there = function()
      return true
    end,
  },
  snacks = {
    adapter = 'snacks',
    is_there = function()
      return is_loadable('snacks')
    end,
    is_set_up = function()
      local snacks = package.loaded['snacks']
      local options = type(snacks) == 'table' and snacks.did_setup and snacks.config
      return type(options) == 'table'
        and type(options.picker) == 'table'
        and options.picker.enabled == true
    end,
  },
  mini = {
    adapter = 'mini',
    is_there = function()
      return is_loadable('mini.pick')
    end,
    is_set_up = function()
      return rawget(_G, 'MiniPick') ~= nil
    end,
  },
  ['fzf-lua'] = {
    adapter = 'fzf_lua',
    is_there = function()
      return has_fzf() and is_loadable('fzf-lua')
    end,
    is_set_up = function()
      return has_fzf() and package.loaded['fzf-lua'] ~= nil
    end,
  },
  telescope = {
    adapter = 'telescope',
    is_there = function()
      return is_loadable('telescope')
    end,
    is_set_up = function()
      return package.loaded['telescope'] ~= nil
    end,
  },
  fzf = { adapter = 'fzf', is_there = has_fzf },
}

--- Of several, the one that needs a setup of its own comes first, for that was somebody's will; then those that show
--- rows as they are found before the one that shows them all at once.
local ORDER = { 'snacks', 'mini', 'fzf-lua', 'telescope' }

---@return ollama.Backend
local function automatic()
  if select.is_overridden() then
    return { name = 'select', why = 'vim.ui.select is your own' }
  end
  for _, name in ipairs(ORDER) do
    if PICKERS[name].is_set_up() then
      return { name = name, why = 'it is in use in this Neovim' }
    end
  end
  -- Lying about is enough for those two only: the others do nothing before their setup was called.
  for _, name in ipairs({ 'fzf-lua', 'telescope' }) do
    if PICKERS[name].is_there() then
      return { name = name, why = 'it is installed' }
    end
  end
  if has_fzf() then
    return { name = 'fzf', why = 'the program fzf is installed, and no picker of Neovim is' }
  end
  return { name = 'select', why = 'there is no other picker' }
end

--- What is used now. Nothing is loaded and nothing started.
---@return ollama.Backend
function M.current()
  local wanted = require('ollama-remote.config').resolved().picker
  local known = PICKERS[wanted]
  if known and known.is_there() then
    return { name = wanted, why = 'it is configured' }
  end
  local found = automatic()
  found.missing = known and wanted or nil
  return found
end

---@type table<string, boolean>
local told = {}

--- The module that shows lists now. That a configured picker is missing is said once.
---@return { open: fun(list: ollama.List) }
function M.adapter()
  local backend = M.current()
  local missing = backend.missing
  if missing and not told[missing] then
    told[missing] = true
    local text = ('picker = "%s" is configured but not there: %s is used (%s)'):format(
      missing,
      backend.name,
      backend.why
    )
    require('ollama-remote.message').say(text, 'warn')
  end
  return require('ollama-remote.choose.' .. PICKERS[backend.name].adapter)
end

return M
