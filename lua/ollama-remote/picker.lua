-- Choosing a model: the list of all servers' models and what each row of it says. How it is shown is in choose.lua.
local M = {}

local message = require('ollama-remote.message')

---@class ollama.Model
---@field ref string
---@field server string
---@field name string
---@field size? number
---@field parameters? string
---@field quantization? string
---@field capabilities? string[]

---@class ollama.PickOptions
---@field prompt string
---@field current? string the model to be marked
---@field default? boolean whether the default model is to be marked

---@type string[]
local known_refs = {}

--- Names of the models as they were last listed, for completion. Nothing is asked for.
---@return string[]
function M.known()
  return known_refs
end

--- `20 GB` as Ollama's own list says it: decimal, two or three digits.
---@param bytes? number
---@return string
function M.size(bytes)
  if not bytes then
    return ''
  end
  local units = { 'B', 'KB', 'MB', 'GB', 'TB' }
  local unit = 1
  while bytes >= 1000 and unit < #units do
    bytes, unit = bytes / 1000, unit + 1
  end
  return ((bytes >= 10 or unit == 1) and '%.0f %s' or '%.1f %s'):format(bytes, units[unit])
end

--- What everything can do is not worth a column's space.
local COMMONPLACE = { completion = true }

--- The marked model has a dot before it.
---@param model ollama.Model
---@param marked? string
---@return string[]
local function cells(model, marked)
  local capabilities = vim.tbl_filter(function(capability)
    return not COMMONPLACE[capability]
  end, model.capabilities or {})
  return {
    (model.ref == marked and '● ' or '  ') .. model.ref,
    M.size(model.size),
    model.parameters or '',
    model.quantization or '',
    table.concat(capabilities, ' '),
  }
end

---@alias ollama.ServerProblem { server: string, error: ollama.Error }

---@param problems ollama.ServerProblem[]
local function tell_problems(problems)
  for _, problem in ipairs(problems) do
    message.say(('%s: %s'):format(problem.server, message.of(problem.error)), 'warn')
  end
end

--- One line for a server that could not be asked, below the models.
---@param problem ollama.ServerProblem
---@return string
local function problem_row(problem)
  local text = ('✗ %s: %s: %s'):format(problem.server, problem.error.code, problem.error.message)
  text = vim.trim((text:gsub('%s*\n%s*', ' ')))
  local most = vim.o.columns - 10
  return vim.fn.strdisplaywidth(text) > most and vim.fn.strcharpart(text, 0, most - 1) .. '…'
    or text
end

---@param has_problems boolean whether servers could not be asked, of which the person was told
---@return ollama.Error
local function nothing_listed(has_problems)
  if has_problems then
    return {
      code = 'NO_MODELS',
      message = 'There is no model to choose: servers could not be asked',
      hint = 'See :Ollama log, or try again',
    }
  end
  return {
    code = 'NO_MODELS',
    message = 'No server has a model to choose',
    hint = 'Pull one on the server: ollama pull NAME',
  }
end

--- What is chosen of the unreachable servers is told in full.
---@param options ollama.PickOptions
---@param listed { models: ollama.Model[], default_model?: string, problems: ollama.ServerProblem[] }
---@param callback ollama.Callback
local function choose(options, listed, callback)
  local marked = options.current or options.default and listed.default_model or nil
  require('ollama-remote.choose').pick({
    title = options.prompt,
    kind = 'ollama-model',
    items = vim.list_extend(vim.list_slice(listed.models), listed.problems),
    columns = function(item)
      return item.error and { problem_row(item) } or cells(item, marked)
    end,
    right = { [2] = true, [3] = true },
    on_choice = function(item)
      if item and item.error then
        tell_problems({ item })
      end
      callback(nil, item and item.ref)
    end,
  })
end

--- Lists the models and has one chosen. The value is the chosen one's `server:model`, or nil when none was.
---@param options ollama.PickOptions
---@param callback ollama.Callback
function M.pick(options, callback)
  require('ollama-remote.rpc').request('models.list', {}, function(failure, listed)
    if failure then
      return callback(failure)
    end
    listed.problems = listed.problems or {}
    if #listed.models == 0 then
      tell_problems(listed.problems)
      return callback(nothing_listed(#listed.problems > 0))
    end
    known_refs = vim.tbl_map(function(model)
      return model.ref
    end, listed.models)
    choose(options, listed, callback)
  end)
end

return M
