-- The preview of a row: its lines in a buffer or on a terminal, what was searched for marked. Where it comes from is not
-- here.
local M = {}

local namespace = vim.api.nvim_create_namespace('ollama-remote.choose.preview')

---@class ollama.Mark a word that was searched for
---@field line integer from 0
---@field from integer in bytes
---@field to integer

--- Puts a preview into a buffer.
---@param buffer integer
---@param lines string[]
---@param marks? ollama.Mark[]
function M.put(buffer, lines, marks)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  M.mark(buffer, marks)
end

--- Marks what was searched for in a buffer that has the lines already.
---@param buffer integer
---@param marks? ollama.Mark[]
function M.mark(buffer, marks)
  require('ollama-remote.highlights')
  vim.api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  for _, mark in ipairs(marks or {}) do
    vim.api.nvim_buf_set_extmark(buffer, namespace, mark.line, mark.from, {
      end_col = mark.to,
      hl_group = 'OllamaRemoteFound',
      priority = 200,
      strict = false,
    })
  end
end

--- fzf knows no end of the reverse alone.
local MARKED, UNMARKED = '\27[7m', '\27[0m'

--- The lines for a terminal: no word of a model may be an escape sequence there.
---@param lines string[]
---@param marks? ollama.Mark[]
---@return string[]
function M.for_terminal(lines, marks)
  local plain = require('ollama-remote.choose.rows').plain
  local by_line = {}
  for _, mark in ipairs(marks or {}) do
    by_line[mark.line + 1] = by_line[mark.line + 1] or {}
    table.insert(by_line[mark.line + 1], mark)
  end
  local shown = {}
  for number, line in ipairs(lines) do
    local pieces, done = {}, 0
    table.sort(by_line[number] or {}, function(one, other)
      return one.from < other.from
    end)
    for _, mark in ipairs(by_line[number] or {}) do
      -- A word may stand within another.
      local from = math.max(mark.from, done)
      if mark.to > from then
        pieces[#pieces + 1] = plain(line:sub(done + 1, from))
        pieces[#pieces + 1] = MARKED .. plain(line:sub(from + 1, mark.to)) .. UNMARKED
        done = mark.to
      end
    end
    pieces[#pieces + 1] = plain(line:sub(done + 1))
    shown[number] = table.concat(pieces)
  end
  return shown
end

return M
