-- What the manager says of one model, in words short enough for a column. Pure. How the columns fit is manager/rows.lua's.
local M = {}

local amounts = require('ollama-remote.amounts')
local names = require('ollama-remote.models.names')

---@class ollama.Pull a row of the host's, see `PullRow` in src/rpc/shapes.ts
---@field server string
---@field model string
---@field state 'queued'|'pulling'|'verifying'|'stalled'|'waiting'|'done'|'failed'|'cancelled'
---@field status string
---@field completed? number
---@field total? number
---@field rate? number
---@field left_ms? number
---@field error? ollama.Error

---@class ollama.Update
---@field state 'checking'|'current'|'available'|'unknown'|'local'|'cloud'
---@field why? string
---@field bytes? number to be fetched
---@field at_most? boolean when some of that may be there already
---@field checked? number milliseconds since the epoch

---@class ollama.ModelRow : ollama.Model see `ModelRow` in src/rpc/shapes.ts
---@field family? string
---@field digest? string
---@field modified? number
---@field trained_context? number
---@field context? number
---@field loaded? { size?: number, vram?: number, context?: number, expires?: number }
---@field update? ollama.Update
---@field pull? ollama.Pull

--- What a model can do, each a letter in a place of its own: letters are as wide as they look in every font and terminal, and
--- a column of them can be read downwards.
---@type { [1]: string, [2]: string }[]
M.CAPABILITIES = {
  { 'tools', 't' },
  { 'vision', 'v' },
  { 'thinking', 'r' },
  { 'insert', 'i' },
  { 'audio', 'a' },
  { 'image', 'g' },
  { 'embedding', 'e' },
}

--- Words of the legend, where the letter does not say it.
M.LEGEND = { thinking = 'reasons', insert = 'fills in', image = 'makes images' }

---@param tokens? number
---@return string
local function tokens(tokens)
  if not tokens then
    return ''
  end
  return tokens >= 1024 and ('%.0fk'):format(tokens / 1024) or ('%d'):format(tokens)
end

--- The context that a request gets, of that which the model was trained for.
---@param model ollama.ModelRow
---@return string
local function context(model)
  local effective = tokens(model.loaded and model.loaded.context or model.context)
  local trained = tokens(model.trained_context)
  if effective == '' or trained == '' then
    return effective == '' and trained or effective
  end
  return effective .. '/' .. trained
end

---@param model ollama.ModelRow
---@param used table<string, boolean> capabilities that any model has
---@return string
local function abilities(model, used)
  local letters = {}
  for _, pair in ipairs(M.CAPABILITIES) do
    if used[pair[1]] then
      local has = vim.list_contains(model.capabilities or {}, pair[1])
      letters[#letters + 1] = has and pair[2] or '-'
    end
  end
  return model.capabilities and table.concat(letters) or ''
end

--- Where a model in memory is: all of it on a GPU, on none, or how much of it.
---@param loaded { size?: number, vram?: number }
---@return string
local function processor(loaded)
  if not loaded.size or not loaded.vram or loaded.size == 0 then
    return 'yes'
  end
  local share = loaded.vram / loaded.size
  if share >= 0.999 then
    return 'GPU'
  end
  return share <= 0 and 'CPU' or ('%.0f%% GPU'):format(share * 100)
end

---@param model ollama.ModelRow
---@param now number
---@param busy? string
---@return string full
---@return string short
local function loaded(model, now, busy)
  local memory = model.loaded
  if busy or not memory then
    return busy or '', busy or ''
  end
  local where = processor(memory)
  local left = not memory.expires and memory.size and 'stays'
    or memory.expires and amounts.clock(memory.expires - now)
    or ''
  local short = vim.trim(where:gsub(' GPU', '') .. ' ' .. left)
  local bytes = memory.vram and memory.vram > 0 and memory.vram or memory.size
  return vim.trim(('%s %s %s'):format(amounts.size(bytes), where, left)), short
end

--- Words and highlight of each state of an update.
---@type table<string, { [1]: string, [2]: string }>
M.UPDATES = {
  checking = { 'checking …', 'OllamaRemoteDim' },
  current = { 'current', 'OllamaRemoteReady' },
  available = { 'update', 'OllamaRemoteNote' },
  unknown = { 'cannot tell', 'OllamaRemoteDim' },
  ['local'] = { 'made here', 'OllamaRemoteDim' },
  cloud = { 'cloud', 'OllamaRemoteDim' },
}

---@param update? ollama.Update
---@return string full
---@return string short
function M.updated(update)
  local words = update and (M.UPDATES[update.state] or { update.state })[1] or ''
  local bytes = update and update.state == 'available' and update.bytes
  if not bytes then
    return words, words
  end
  return ('%s %s%s'):format(words, update.at_most and '≤ ' or '', amounts.size(bytes)), words
end

local DEFAULT_SIGN = ' *'

--- A name that does not fit is cut; the sign of the default stays.
---@param cell string
---@param width integer
---@return string
function M.shortened(cell, width)
  local sign = vim.endswith(cell, DEFAULT_SIGN) and DEFAULT_SIGN or ''
  return names.shortened(cell:sub(1, #cell - #sign), width - #sign) .. sign
end

---@class ollama.CellContext
---@field now number milliseconds since the epoch
---@field used table<string, boolean> capabilities that any model has
---@field default_model? string
---@field busy table<string, string> what is being done with a model, by its ref

---@param model ollama.ModelRow
---@param about ollama.CellContext
---@return table<string, string>
function M.of(model, about)
  local full_loaded, short_loaded = loaded(model, about.now, about.busy[model.ref])
  local full_update, short_update = M.updated(model.update)
  return {
    name = model.name .. (names.is_same(about.default_model, model.ref) and DEFAULT_SIGN or ''),
    size = amounts.size(model.size),
    parameters = model.parameters or '',
    quantization = model.quantization or '',
    family = model.family or '',
    abilities = abilities(model, about.used),
    context = context(model),
    digest = (model.digest or ''):gsub('^sha256:', ''):sub(1, 12),
    age = model.modified and amounts.span(about.now - model.modified) or '',
    loaded = full_loaded,
    short_loaded = short_loaded,
    update = full_update,
    short_update = short_update,
  }
end

return M
