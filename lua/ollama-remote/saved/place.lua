-- The place in a chat's text where something was found: the cursor is brought there, also when the text is still to come.
local M = {}

local api = vim.api

--- The line that was found. A file may be written otherwise than the transcript shows it, or was changed since.
---@param buffer integer
---@param match ollama.Match
---@return integer? from 1
local function line_of(buffer, match)
  local words = match.text:gsub('^…', '')
  local function holds(line)
    return line:find(words, 1, true) ~= nil
  end
  local there = api.nvim_buf_get_lines(buffer, match.line - 1, match.line, false)[1]
  if there and holds(there) then
    return match.line
  end
  for number, line in ipairs(api.nvim_buf_get_lines(buffer, 0, -1, false)) do
    if holds(line) then
      return number
    end
  end
end

--- Puts the cursor of a window there, in the middle of it; folds that hide it are opened.
---@param window integer
---@param match ollama.Match
function M.look(window, match)
  local line = line_of(api.nvim_win_get_buf(window), match)
  if not line then
    return
  end
  api.nvim_win_call(window, function()
    api.nvim_win_set_cursor(window, { line, match.column })
    vim.cmd('noautocmd normal! zvzz')
  end)
end

--- As a view that a transcript is to have when it is there.
---@param match ollama.Match
---@return table
function M.awaited(match)
  return {
    look = function(window)
      M.look(window, match)
    end,
  }
end

return M
