-- Deleting models from their servers: the marked ones, or the one under the cursor, after one question that says all.
local M = {}

local manager = require('ollama-remote.manager')
local marks = require('ollama-remote.manager.marks')
local message = require('ollama-remote.message')
local names = require('ollama-remote.models.names')
local work = require('ollama-remote.manager.work')

--- More names than these would hide what the question says.
local MOST_NAMES = 5

---@param models ollama.ModelRow[]
---@return string
local function sum(models)
  local bytes = 0
  for _, model in ipairs(models) do
    bytes = bytes + (model.size or 0)
  end
  return bytes > 0 and (' (%s)'):format(require('ollama-remote.amounts').size(bytes)) or ''
end

---@param models ollama.ModelRow[]
---@return string
local function question(models)
  if #models == 1 then
    return ('Delete %s%s from its server?'):format(models[1].ref, sum(models))
  end
  local refs = vim.tbl_map(function(model)
    return model.ref
  end, vim.list_slice(models, 1, MOST_NAMES))
  local others = #models - #refs
  local list = table.concat(refs, ', ') .. (others > 0 and (' and %d more'):format(others) or '')
  return ('Delete %d models%s: %s?'):format(#models, sum(models), list)
end

---@param models ollama.ModelRow[]
---@return string
local function default_among(models)
  local found = vim.iter(models):find(function(model)
    return names.is_same(manager.view.default_model, model.ref)
  end)
  if not found then
    return ''
  end
  return (#models == 1 and 'It' or found.ref) .. ' is the default model. '
end

--- Deletes all at once, and says it once.
---@param models ollama.ModelRow[]
local function delete(models)
  local gone, left = {}, #models
  for _, model in ipairs(models) do
    work.start(model, 'deleting …', 'models.delete', work.about(model), function(failure)
      gone[#gone + 1] = not failure and model.ref or nil
      left = left - 1
      if left == 0 and #gone > 0 then
        message.say(#gone == 1 and gone[1] .. ' is deleted' or #gone .. ' models are deleted')
      end
    end)
  end
end

function M.delete()
  local models = work.installed()
  if #models == 0 then
    return
  end
  require('ollama-remote.question').confirm({
    title = work.users(models) .. default_among(models) .. question(models),
    yes = #models == 1 and 'delete it' or 'delete them',
    no = #models == 1 and 'keep it' or 'keep them',
    loses = true,
    on_yes = function()
      marks.clear()
      delete(models)
    end,
  })
end

return M
