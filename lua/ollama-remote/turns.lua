-- Moving between turns, and yanking the code under the cursor.
local M = {}

local api = vim.api

--- Goes to a turn's heading, `v:count1` turns on; at the end it stays.
---@param by -1|1
function M.jump(by)
  local flags = by > 0 and 'W' or 'bW'
  -- `:normal` puts the count back to 1.
  local count = vim.v.count1
  vim.cmd("normal! m'")
  for _ = 1, count do
    if vim.fn.search('^## ◆ ', flags) == 0 then
      return
    end
  end
end

---@class ollama.Fence
---@field first integer index of the opening line
---@field last integer index of the closing line, or of the last line of the text
---@field indent string

---@param line string
---@return string? indent
---@return string? fence
local function opening(line)
  local indent, fence, info = line:match('^(%s*)(```+)(.*)$')
  if fence and not info:find('`', 1, true) then
    return indent, fence
  end
  return line:match('^(%s*)(~~~+)')
end

---@param line string
---@param fence string
---@return boolean
local function closes(line, fence)
  local mark = line:match('^%s*([`~]+)%s*$')
  return mark ~= nil and #mark >= #fence and mark:gsub(fence:sub(1, 1), '') == ''
end

--- The fenced blocks of a Markdown text, in order. An open block at the end counts up to the end.
---@param lines string[]
---@return ollama.Fence[]
function M.fences(lines)
  local found, fence = {}, nil
  for index, line in ipairs(lines) do
    if fence then
      if closes(line, fence) then
        found[#found].last, fence = index, nil
      end
    else
      local indent, mark = opening(line)
      if mark then
        fence = mark
        found[#found + 1] = { first = index, last = #lines + 1, indent = indent }
      end
    end
  end
  return found
end

---@param lines string[]
---@param fence ollama.Fence
---@return string[]
local function inside(lines, fence)
  return vim.tbl_map(function(line)
    return vim.startswith(line, fence.indent) and line:sub(#fence.indent + 1) or line
  end, vim.list_slice(lines, fence.first + 1, fence.last - 1))
end

--- The block that a line is in, or else the nearest one above.
---@param fences ollama.Fence[]
---@param line integer
---@return ollama.Fence?
function M.fence_at(fences, line)
  local best
  for _, fence in ipairs(fences) do
    if fence.first <= line then
      best = fence
    end
  end
  return best
end

---@param chat ollama.Chat
---@param row integer 0-based
---@return integer first
---@return string[] lines of the turn
local function turn_lines(chat, row)
  local turns = chat.outline.turns
  local _, ordinal = require('ollama-remote.decoration').turn_at(chat, row)
  local first = ordinal and turns[ordinal].row + 1 or 0
  local next_turn = turns[(ordinal or 0) + 1]
  return first,
    api.nvim_buf_get_lines(chat.buffers.transcript, first, next_turn and next_turn.row or -2, false)
end

--- Yanks the code block under the cursor, or the nearest above it in the turn, into the register that was named.
function M.yank_code()
  local message = require('ollama-remote.message')
  local chat = require('ollama-remote.chats').of_buffer(api.nvim_get_current_buf())
  if not chat then
    return message.whisper('Code is yanked in the transcript')
  end
  local row = api.nvim_win_get_cursor(0)[1] - 1
  local first, lines = turn_lines(chat, row)
  local fence = M.fence_at(M.fences(lines), row - first + 1)
  if not fence then
    return message.whisper('No code block here or above in this turn')
  end
  local code = inside(lines, fence)
  local register = vim.v.register
  vim.fn.setreg(register, code, 'V')
  if register == '"' then
    vim.fn.setreg('0', code, 'V')
  end
  message.whisper(('%d line%s of code yanked'):format(#code, #code == 1 and '' or 's'))
end

return M
