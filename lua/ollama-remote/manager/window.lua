-- The buffer and the window of the manager: made by list_window.lua, drawn line by line so that nothing flickers and each
-- window's cursor stays with its row. What stands in it is manager.lua's.
local M = {}

local api = vim.api
local list_window = require('ollama-remote.list_window')

local NAMESPACE = api.nvim_create_namespace('ollama-remote.manager')

---@param on_show fun()
---@param on_hide fun()
---@return integer buffer
function M.new_buffer(on_show, on_hide)
  return list_window.new_buffer({
    name = 'ollama-models://',
    filetype = 'ollama-models',
    place = 'models',
    on_show = on_show,
    on_hide = on_hide,
  })
end

---@param buffer integer
function M.open(buffer)
  list_window.open(buffer, math.max(6, math.floor(vim.o.lines * 0.6)))
end

---@type ollama.ListHint[]
local HINTS = {
  { action = 'models-pull', word = 'pull', rank = 1 },
  { action = 'models-update', word = 'update', rank = 1 },
  { action = 'models-update-all', word = 'all', rank = 3 },
  { action = 'models-check', word = 'check', rank = 2 },
  { action = 'models-mark', word = 'mark', rank = 4 },
  { action = 'models-delete', word = 'delete', rank = 2 },
  { action = 'models-show', word = 'show', rank = 1 },
  { action = 'models-load', word = 'load', rank = 3 },
  { action = 'models-unload', word = 'unload', rank = 3 },
  { action = 'models-chat', word = 'chat', rank = 2 },
  { action = 'models-sort', word = 'sort', rank = 4 },
  { action = 'models-filter', word = 'filter', rank = 4 },
  { action = 'models-refresh', word = 'refresh', rank = 5 },
  { action = 'service', word = 'service', rank = 5 },
  { action = 'models-close', word = 'close', rank = 5 },
  { action = 'help', word = 'keys', rank = 0 },
}

--- All that a line is, so that only lines that have changed are drawn.
---@param line ollama.ManagerLine
---@return string
local function signature(line)
  local parts = { line.text }
  for _, mark in ipairs(line.marks) do
    parts[#parts + 1] = ('%d %d %s'):format(mark[1], mark[2], mark[3])
  end
  return table.concat(parts, '\n')
end

--- The lines in the middle that differ: how many are the same at the beginning and at the end.
---@param before string[]
---@param after string[]
---@return integer first
---@return integer last
local function unchanged(before, after)
  local most = math.min(#before, #after)
  local first, last = 0, 0
  while first < most and before[first + 1] == after[first + 1] do
    first = first + 1
  end
  while last < most - first and before[#before - last] == after[#after - last] do
    last = last + 1
  end
  return first, last
end

--- The nearest line of the same row as before; where it is gone, the one that stands in its place.
---@param key string?
---@param line integer
---@param keys string[]
---@return integer
local function line_for(key, line, keys)
  if key ~= '' and keys[line] == key then
    return line
  end
  for distance = 1, key ~= '' and math.max(line, #keys) or 0 do
    for _, index in ipairs({ line - distance, line + distance }) do
      if keys[index] == key then
        return index
      end
    end
  end
  return math.max(1, math.min(line, #keys))
end

--- The first model, for a cursor that was on none while there were none.
---@param lines ollama.ManagerLine[]
---@return integer
local function first_model(lines)
  for index, line in ipairs(lines) do
    if line.model then
      return index
    end
  end
  return 1
end

---@param line ollama.ManagerLine
---@return string
local function key_of(line)
  return line.model and line.model.ref or line.server or ''
end

---@class ollama.Drawn what stands in the buffer
---@field signatures string[]
---@field keys string[]
---@field has_models boolean

---@param buffer integer
---@param lines ollama.ManagerLine[]
---@param drawn? ollama.Drawn what was drawn before
---@return ollama.Drawn
function M.draw(buffer, lines, drawn)
  drawn = drawn or { signatures = {}, keys = {}, has_models = false }
  local now = {
    signatures = vim.tbl_map(signature, lines),
    keys = vim.tbl_map(key_of, lines),
    has_models = first_model(lines) > 1,
  }
  local first, last = unchanged(drawn.signatures, now.signatures)
  local windows = vim.fn.win_findbuf(buffer)
  local views = vim.tbl_map(function(window)
    return api.nvim_win_call(window, vim.fn.winsaveview)
  end, windows)
  local old_end = math.max(first, #drawn.signatures - last)
  if #now.signatures ~= #drawn.signatures or first + last < #now.signatures then
    local changed = {}
    for index = first + 1, #lines - last do
      changed[#changed + 1] = lines[index].text
    end
    vim.bo[buffer].modifiable = true
    api.nvim_buf_clear_namespace(buffer, NAMESPACE, first, old_end)
    local is_first = #drawn.signatures == 0
    api.nvim_buf_set_lines(buffer, first, is_first and -1 or old_end, false, changed)
    vim.bo[buffer].modifiable = false
    for index = first + 1, #lines - last do
      for _, mark in ipairs(lines[index].marks) do
        local options = { end_col = mark[2], hl_group = mark[3] }
        api.nvim_buf_set_extmark(buffer, NAMESPACE, index - 1, mark[1], options)
      end
    end
  end
  for index, window in ipairs(windows) do
    local view = views[index]
    local line = drawn.has_models and line_for(drawn.keys[view.lnum], view.lnum, now.keys)
      or first_model(lines)
    -- At the top the titles stay in sight; further down what is read does not move.
    if view.topline > 1 then
      view.topline = math.max(1, view.topline + line - view.lnum)
    end
    view.lnum = line
    api.nvim_win_call(window, function()
      vim.fn.winrestview(view)
    end)
    list_window.dress(window, HINTS)
  end
  return now
end

--- Puts the cursor of the list on a line, with what stands under it in sight.
---@param line integer
function M.go_to(line)
  api.nvim_win_set_cursor(0, { line, 0 })
  if line < vim.fn.line('w0') or line >= vim.fn.line('w$') then
    vim.cmd('normal! zz')
  end
end

return M
