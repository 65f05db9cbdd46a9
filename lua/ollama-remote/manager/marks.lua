-- Which models of the list are meant: the marked ones, or else the one under the cursor; and how they are marked. What is done
-- with them is not here.
local M = {}

local api = vim.api
local manager = require('ollama-remote.manager')
local message = require('ollama-remote.message')

local view = manager.view

--- The models of some lines of the list, each once, in their order.
---@param lines ollama.ManagerLine[]
---@return ollama.ModelRow[]
local function models_of(lines)
  local found, seen = {}, {}
  for _, line in ipairs(lines) do
    if line.model and not seen[line.model.ref] then
      seen[line.model.ref] = true
      found[#found + 1] = line.model
    end
  end
  return found
end

--- The marked models that are shown, in their order; else the one under the cursor. Says so when there is none.
---@return ollama.ModelRow[]
function M.meant()
  local marked = vim.tbl_filter(function(model)
    return view.marked[model.ref] ~= nil
  end, models_of(view.lines))
  if #marked > 0 then
    return marked
  end
  local found = models_of({ manager.under_cursor() })
  if #found == 0 then
    message.whisper('There is no model under the cursor')
  end
  return found
end

--- Takes all marks away: what they were for is done.
function M.clear()
  view.marked = {}
  manager.render()
end

--- Marks the models of the selection; takes their marks away when all of them have one.
local function mark_selection()
  local first, last = vim.fn.line('v'), vim.fn.line('.')
  local lines = vim.list_slice(view.lines, math.min(first, last), math.max(first, last))
  local models = models_of(lines)
  local are_marked = vim.iter(models):all(function(model)
    return view.marked[model.ref]
  end)
  for _, model in ipairs(models) do
    view.marked[model.ref] = not are_marked or nil
  end
  vim.cmd.normal({ vim.keycode('<Esc>'), bang = true })
  manager.render()
end

--- Marks the model, or takes its mark away, and goes to the next one; with a selection, all that are in it.
function M.mark()
  if vim.fn.mode():find('^[vV\22]') then
    return mark_selection()
  end
  local line = manager.under_cursor()
  local model = line and line.model
  if not model then
    return message.whisper('There is no model under the cursor')
  end
  view.marked[model.ref] = not view.marked[model.ref] or nil
  manager.render()
  for row = api.nvim_win_get_cursor(0)[1] + 1, #view.lines do
    local other = view.lines[row].model
    if other and other.ref ~= model.ref then
      return api.nvim_win_set_cursor(0, { row, 0 })
    end
  end
end

return M
