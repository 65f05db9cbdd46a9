-- Text objects: a turn of the transcript, a code block of the transcript or the prompt. Both are whole lines.
local M = {}

local api = vim.api
local fences = require('ollama-remote.transcript.fences')
local turns = require('ollama-remote.transcript.turns')

---@param row integer 0-based row of the lines' first
---@param first integer index
---@param last integer index
---@return ollama.Span? lines of the buffer, from 1
local function at(row, first, last)
  return first <= last and { first = row + first, last = row + last } or nil
end

--- The text of a turn; where the cursor is in its thinking, that.
---@param turn ollama.TurnLines
---@param line integer of the cursor
---@return ollama.Span?
local function inside_turn(turn, line)
  local sections = require('ollama-remote.transcript.turn_text').sections(turn.lines)
  local thinking = sections.thinking
  local in_thinking = thinking
    and thinking.first <= line - turn.row
    and line - turn.row <= thinking.last
  local place = in_thinking and thinking or sections.text
  return place and at(turn.row, place.first, place.last)
end

--- Turn by turn from that of a line on.
---@param line integer
---@param count integer
---@param around boolean
---@param goes_on boolean
---@return ollama.Span?
local function turn_span(line, count, around, goes_on)
  local here, chat = turns.here()
  if not here or not chat then
    return nil
  end
  local _, ordinal = require('ollama-remote.transcript.decoration').turn_at(chat, line - 1)
  if not ordinal then
    return nil
  end
  local first = turns.lines(chat, ordinal)
  local own = goes_on and not around and inside_turn(first, line)
  if own and own.last < line and chat.outline.turns[ordinal + 1] then
    ordinal = ordinal + 1
    first = turns.lines(chat, ordinal)
  end
  local last = turns.lines(chat, math.min(ordinal + count - 1, #chat.outline.turns))
  if around then
    return at(0, first.row + 1, last.row + #last.lines)
  end
  local from, to = inside_turn(first, line), inside_turn(last, line)
  return from and to and at(0, from.first, to.last)
end

--- Block by block from that of a line on; after a selection, from the next one.
---@param line integer
---@param count integer
---@param around boolean
---@param goes_on boolean
---@return ollama.Span?
local function code_span(line, count, around, goes_on)
  local turn = turns.here()
  local row = turn and turn.row or 0
  local lines = turn and turn.lines or api.nvim_buf_get_lines(0, 0, -1, false)
  local found = vim.tbl_filter(function(fence)
    return fence.last > line - row or (fence.last == line - row and not goes_on)
  end, fences.all(lines))
  local first, last = found[1], found[math.min(count, #found)]
  if not first or (first.first > line - row and not goes_on) then
    return nil
  end
  if around then
    return at(row, first.first, math.min(last.last, #lines))
  end
  return at(row, first.first + 1, last.last - 1)
end

---@type table<string, fun(line: integer, count: integer, around: boolean, goes_on: boolean): ollama.Span?>
local SPANS = { turn = turn_span, code = code_span }

--- A closed fold would be taken as a whole; for an operator it is closed again when that is done.
---@param span ollama.Span
---@param selecting boolean
local function open_folds(span, selecting)
  for _, line in ipairs({ span.first, span.last }) do
    local closed = vim.fn.foldclosed(line)
    if closed ~= -1 then
      vim.cmd(('silent! %dfoldopen!'):format(line))
      local window = api.nvim_get_current_win()
      vim.schedule(function()
        if not selecting and api.nvim_win_is_valid(window) then
          api.nvim_win_call(window, function()
            vim.cmd(('silent! %dfoldclose'):format(closed))
          end)
        end
      end)
    end
  end
end

--- Selects an object for visual mode or for an operator. In visual mode a selection of several lines grows by the next.
---@param kind 'turn'|'code'
---@param around boolean
function M.select(kind, around)
  local count = vim.v.count1
  local selecting = api.nvim_get_mode().mode:find('^[vV\22]') ~= nil
  local from, to = vim.fn.line('v'), vim.fn.line('.')
  local goes_on = selecting and from ~= to
  local line = goes_on and math.max(from, to) + 1 or to
  local span = SPANS[kind](line, count, around, goes_on)
  if not span then
    return require('ollama-remote.message').whisper(
      kind == 'turn' and 'No turn is here' or 'No code block is here'
    )
  end
  open_folds(span, selecting)
  if selecting then
    vim.cmd('normal! \27')
  end
  api.nvim_win_set_cursor(0, { goes_on and math.min(from, to) or span.first, 0 })
  vim.cmd('normal! V')
  api.nvim_win_set_cursor(0, { span.last, 0 })
end

return M
