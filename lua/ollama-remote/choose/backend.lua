-- Which picker shows the lists, and why. How each does it is in its own file.
local M = {}

local select = require('ollama-remote.choose.select')

---@class ollama.Backend
---@field name 'select'|'telescope'|'fzf-lua'|'snacks'|'mini'|'fzf'
---@field why string a sentence for :checkhealth, without a full stop
---@field missing? string what was configured and is not there

---@return boolean
local function has_fzf()
  return vim.fn.executable('fzf') == 1
end

--- How each is found.
---@type table<string, { is_there: fun(): boolean, adapter: string }>
local PICKERS = {
  select = {
    adapter = 'select',
    is_there = function()
      return true
    end,
  },
  fzf = { adapter = 'fzf', is_there = has_fzf },
}

---@return ollama.Backend
local function automatic()
  if select.is_overridden() then
    return { name = 'select', why = 'vim.ui.select is your own' }
  end
  if has_fzf() then
    return { name = 'fzf', why = 'the program fzf is installed' }
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
