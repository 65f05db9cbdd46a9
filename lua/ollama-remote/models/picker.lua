-- Choosing a model: the list of all servers' models and what each row of it says. How it is shown is in choose.lua.
local M = {}

local amounts = require('ollama-remote.amounts')
local message = require('ollama-remote.message')
local names = require('ollama-remote.models.names')

---@class ollama.Model
---@field ref string
---@field server string
---@field name string
---@field size? number
---@field parameters? string
---@field quantization? string
---@field capabilities? string[]
---@field is_loaded? boolean
---@field read? number when its server's list was read, in milliseconds since the epoch

---@class ollama.PickOptions
---@field prompt string
---@field current? string the model to be marked
---@field default? boolean whether the default model is to be marked

---@type string[]
local known_refs = {}

--- Names of the models as they were last listed, for completion; what the host remembers of them is there the next time.
---@return string[]
function M.known()
  require('ollama-remote.rpc').request('models.list', { known = true }, function(failure, listed)
    if not failure then
      known_refs = vim.tbl_map(function(model)
        return model.ref
      end, listed.models)
    end
  end)
  return known_refs
end

--- What everything can do is not worth a column's space.
local COMMONPLACE = { completion = true }

--- A list that is older than this is marked with its age.
local OLD_MS = 10 * 60 * 1000

--- How long ago a list was read that is not of this moment.
---@param read? number in milliseconds since the epoch
---@return string?
local function age(read)
  local seconds = vim.uv.gettimeofday()
  local minutes = math.floor((seconds * 1000 - (read or seconds * 1000)) / 60000)
  if minutes * 60000 < OLD_MS then
    return nil
  end
  local hours = math.floor(minutes / 60)
  return hours < 1 and ('seen %d min ago'):format(minutes)
    or hours < 48 and ('seen %d h ago'):format(hours)
    or ('seen %d days ago'):format(math.floor(hours / 24))
end

--- The marked model has a dot before it.
---@param model ollama.Model
---@param marked? string
---@return string[]
local function cells(model, marked)
  local capabilities = vim.tbl_filter(function(capability)
    return not COMMONPLACE[capability]
  end, model.capabilities or {})
  local facts = {
    model.is_loaded and 'loaded' or '',
    table.concat(capabilities, ' '),
    age(model.read) or '',
  }
  return {
    (names.is_same(marked, model.ref) and '● ' or '  ') .. model.ref,
    amounts.size(model.size),
    model.parameters or '',
    model.quantization or '',
    table.concat(
      vim.tbl_filter(function(fact)
        return fact ~= ''
      end, facts),
      ' · '
    ),
  }
end

---@alias ollama.ServerProblem { server: string, error: ollama.Error, needs_person?: boolean }
---@alias ollama.Listed { models: ollama.Model[], default_model?: string, problems?: ollama.ServerProblem[] }

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

--- The models, and below them the servers that could not be asked.
---@param listed ollama.Listed
---@return any[]
local function items_of(listed)
  return vim.list_extend(vim.list_slice(listed.models), listed.problems or {})
end

---@param method string
---@param params table
---@param callback ollama.Callback
local function request(method, params, callback)
  require('ollama-remote.rpc').request(method, params, callback)
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
    hint = 'Pull one: p in :Ollama models',
  }
end

---@param listed ollama.Listed
local function remember(listed)
  known_refs = vim.tbl_map(function(model)
    return model.ref
  end, listed.models)
end

--- What is known, at once; then what the servers say besides. A row that stands is not taken away: the next list is right.
---@param known ollama.Listed
---@return ollama.Source
local function growing(known)
  local seen = {}
  ---@param items any[]
  ---@return any[]
  local function fresh(items)
    return vim.tbl_filter(function(item)
      local name = item.ref or item.server
      local is_new = not seen[name]
      seen[name] = true
      return is_new
    end, items)
  end
  return function(_, on_batch, on_done)
    seen = {}
    -- Before the first rows: a list that cannot grow is shown by them, and may not return until it is closed.
    request('models.list', {}, function(failure, listed)
      if failure then
        return on_done(failure)
      end
      remember(listed)
      on_batch(fresh(items_of(listed)))
      on_done()
    end)
    on_batch(fresh(items_of(known)))
  end
end

--- What is chosen of the servers that could not be asked is told in full; where only a login is missing, it is made.
---@param problem ollama.ServerProblem
---@param again fun()
---@param callback ollama.Callback
local function choose_problem(problem, again, callback)
  if not problem.needs_person then
    tell_problems({ problem })
    return callback(nil, nil)
  end
  request('servers.connect', { server = problem.server }, function(failure)
    if failure then
      return callback(failure)
    end
    again()
  end)
end

---@param options ollama.PickOptions
---@param list { items?: any[], source?: ollama.Source, default_model?: string }
---@param callback ollama.Callback
local function choose(options, list, callback)
  local marked = options.current or options.default and list.default_model or nil
  require('ollama-remote.choose').pick({
    title = options.prompt,
    kind = 'ollama-model',
    items = list.items,
    source = list.source,
    is_soon_enough = true,
    columns = function(item)
      return item.error and { problem_row(item) } or cells(item, marked)
    end,
    right = { [2] = true, [3] = true },
    on_choice = function(item)
      if item and item.error then
        return choose_problem(item, function()
          M.pick(options, callback)
        end, callback)
      end
      callback(nil, item and item.ref)
    end,
  })
end

--- Where nothing is known, the servers are waited for.
---@param options ollama.PickOptions
---@param callback ollama.Callback
local function ask_first(options, callback)
  message.whisper('Asking the servers for their models…')
  request('models.list', {}, function(failure, listed)
    if failure then
      return callback(failure)
    end
    listed.problems = listed.problems or {}
    if #listed.models == 0 then
      tell_problems(listed.problems)
      return callback(nothing_listed(#listed.problems > 0))
    end
    remember(listed)
    choose(options, { items = items_of(listed), default_model = listed.default_model }, callback)
  end)
end

--- Has a model chosen: from what is known at once, which is completed while the list stands. The value is the chosen one's
--- `server:model`, or nil when none was.
---@param options ollama.PickOptions
---@param callback ollama.Callback
function M.pick(options, callback)
  request('models.list', { known = true }, function(failure, known)
    if failure then
      return callback(failure)
    end
    if #known.models == 0 then
      return ask_first(options, callback)
    end
    remember(known)
    choose(options, { source = growing(known), default_model = known.default_model }, callback)
  end)
end

return M
