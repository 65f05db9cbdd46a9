-- A piece of a file as a question quotes it: a fence with its language, its path and its lines.
local M = {}

local api = vim.api

---@class ollama.Excerpt
---@field lines string[]
---@field first integer
---@field last integer
---@field filetype string
---@field path? string

---@param text string
---@param mark string
---@return integer
local function longest_run(text, mark)
  local longest = 0
  for run in text:gmatch(mark .. '+') do
    longest = math.max(longest, #run)
  end
  return longest
end

--- The quotation. Its fence is longer than any in the text, and of tildes where the path holds a backtick.
---@param excerpt ollama.Excerpt
---@return string[]
function M.quote(excerpt)
  local place = excerpt.path and ('%s:%d-%d'):format(excerpt.path, excerpt.first, excerpt.last)
  local info = vim.trim(('%s %s'):format(excerpt.filetype, place or ''))
  local mark = info:find('`', 1, true) and '~' or '`'
  local fence = mark:rep(math.max(3, longest_run(table.concat(excerpt.lines, '\n'), mark) + 1))
  local quoted = { fence .. info }
  vim.list_extend(quoted, excerpt.lines)
  quoted[#quoted + 1] = fence
  return quoted
end

---@param buffer integer
---@return string?
local function path_of(buffer)
  local name = api.nvim_buf_get_name(buffer)
  if name == '' then
    return nil
  end
  return vim.fn.fnamemodify(name, ':.')
end

--- Whole lines of the current buffer.
---@param first integer
---@param last integer
---@return ollama.Excerpt
function M.of_range(first, last)
  return {
    lines = api.nvim_buf_get_lines(0, first - 1, last, false),
    first = first,
    last = last,
    filetype = vim.bo.filetype,
    path = path_of(0),
  }
end

--- What is selected now, of whatever kind; visual mode is left. nil when nothing is.
---@return ollama.Excerpt?
function M.of_visual()
  local mode = api.nvim_get_mode().mode
  if not mode:match('^[vV\22]') then
    return nil
  end
  local from, to = vim.fn.getpos('v'), vim.fn.getpos('.')
  local excerpt = M.of_range(math.min(from[2], to[2]), math.max(from[2], to[2]))
  excerpt.lines = vim.fn.getregion(from, to, { type = mode:sub(1, 1) })
  local escape = api.nvim_replace_termcodes('<Esc>', true, false, true)
  api.nvim_feedkeys(escape, 'nx', false)
  return excerpt
end

return M
