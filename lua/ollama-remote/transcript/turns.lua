-- Moving between turns, and yanking what is in them.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local fences = require('ollama-remote.transcript.fences')
local message = require('ollama-remote.message')

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

---@class ollama.TurnLines
---@field row integer 0-based row of the first of them
---@field lines string[] from the heading to the line before the next one
---@field ordinal integer from 1; 0 for what stands before the first heading
---@field role? string

--- The lines of a turn by its ordinal.
---@param chat ollama.Chat
---@param ordinal integer
---@return ollama.TurnLines
function M.lines(chat, ordinal)
  local turns = chat.outline.turns
  local row = ordinal > 0 and turns[ordinal].row or 0
  local following = turns[ordinal + 1]
  -- The last line is the phase's.
  local last = following and following.row or -2
  return {
    row = row,
    lines = api.nvim_buf_get_lines(chat.buffers.transcript, row, last, false),
    ordinal = ordinal,
    role = ordinal > 0 and turns[ordinal].role or nil,
  }
end

--- The turn that the cursor is in; nil when the current buffer is no transcript.
---@return ollama.TurnLines? turn
---@return ollama.Chat? chat
function M.here()
  local chat, part = chats.of_buffer(api.nvim_get_current_buf())
  if not chat or part ~= 'transcript' then
    return nil
  end
  local row = api.nvim_win_get_cursor(0)[1] - 1
  local _, ordinal = require('ollama-remote.transcript.decoration').turn_at(chat, row)
  return M.lines(chat, ordinal or 0), chat
end

---@param lines string[]
---@param what string
local function yank(lines, what)
  local register = vim.v.register
  vim.fn.setreg(register, lines, 'V')
  if register == '"' then
    vim.fn.setreg('0', lines, 'V')
  end
  message.whisper(('%d line%s of %s yanked'):format(#lines, #lines == 1 and '' or 's', what))
end

---@param turn ollama.TurnLines
---@param found ollama.Fence[]
---@return ollama.Fence?
local function wanted(turn, found)
  if vim.v.count > 0 then
    return found[vim.v.count]
  end
  return fences.at_or_above(found, api.nvim_win_get_cursor(0)[1] - turn.row)
end

--- Yanks the code block under the cursor, or the nearest above it in the turn, or the one with the number that was
--- counted, into the register that was named.
function M.yank_code()
  local turn = M.here()
  if not turn then
    return message.whisper('Code is yanked in the transcript')
  end
  local found = fences.all(turn.lines)
  local fence = wanted(turn, found)
  if not fence then
    local told = vim.v.count > 0
      and ('This turn has %d code block%s'):format(#found, #found == 1 and '' or 's')
    return message.whisper(told or 'No code block here or above in this turn')
  end
  local unescaped = require('ollama-remote.transcript.grammar').unescaped
  yank(vim.tbl_map(unescaped, fences.inside(turn.lines, fence)), 'code')
end

--- Yanks the text of the turn under the cursor as it was written: without heading, thinking, note and receipt.
function M.yank_text()
  local turn = M.here()
  if not turn then
    return message.whisper('An answer is yanked in the transcript')
  end
  local turn_text = require('ollama-remote.transcript.turn_text')
  local place = turn.ordinal > 0 and turn_text.sections(turn.lines).text
  if not place then
    return message.whisper('This turn has no text')
  end
  local what = turn.role == 'model' and 'the answer'
    or turn.role == 'user' and 'the question'
    or 'the system prompt'
  yank(turn_text.original(turn.lines, place), what)
end

return M
