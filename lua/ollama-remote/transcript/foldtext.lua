-- What stands in place of a closed fold. The folds themselves are made in folds.lua.
local M = {}

local api = vim.api
local grammar = require('ollama-remote.transcript.grammar')

--- More are not looked through for a turn's first words.
local MOST_ROWS = 20

---@param first string
---@param last string
---@return string
local function thought(first, last)
  local boundary = grammar.parse(last)
  local seconds = boundary and boundary.seconds
  if seconds then
    return '▸ thought for ' .. grammar.duration(seconds)
  end
  return first:match('◆') and '▸ thought' or ('▸ ' .. first)
end

--- The first line that says something: of a model's turn not its thinking, of one that failed the failure.
---@param buffer integer
---@param turn ollama.Turn
---@param last integer 0-based row of the turn's last line
---@return string
function M.first_words(buffer, turn, last)
  local from = turn.row + 1
  for _, fold in ipairs(turn.folds) do
    from = fold.kind == 'thinking' and fold.last + 1 or from
  end
  for _, line in
    ipairs(api.nvim_buf_get_lines(buffer, from, math.min(last + 1, from + MOST_ROWS), false))
  do
    local boundary = grammar.parse(line)
    if boundary and boundary.kind == 'note' then
      return boundary.name
    end
    if not boundary and line:match('%S') then
      return vim.trim(line)
    end
  end
  return ''
end

---@param chunks ollama.Chunks
---@return integer
local function width(chunks)
  local sum = 0
  for _, chunk in ipairs(chunks) do
    sum = sum + vim.fn.strdisplaywidth(chunk[1])
  end
  return sum
end

--- Fewer columns of first words say nothing.
local LEAST_ROOM = 8

---@param words string
---@param room integer
---@return ollama.Chunks
local function shortened(words, room)
  if words == '' or room < LEAST_ROOM then
    return {}
  end
  if vim.fn.strdisplaywidth(words) > room then
    words = vim.fn.printf(('%%.%dS…'):format(room - 1), words)
  end
  return { { '  ▸ ', 'OllamaRemoteDim' }, { words, 'OllamaRemoteFold' } }
end

--- Who spoke, when, the first words, and how much there is, as far as there is room. It begins as the heading is drawn,
--- which stays over it.
---@param turn ollama.Turn
---@param heading ollama.Boundary
---@return ollama.Chunks
local function of_turn(turn, heading)
  local chunks = vim.list_slice(require('ollama-remote.transcript.decoration').chunks(heading))
  local hidden = vim.v.foldend - vim.v.foldstart
  local count = { (' · %d line%s'):format(hidden, hidden == 1 and '' or 's'), 'OllamaRemoteDim' }
  local words = M.first_words(0, turn, vim.v.foldend - 1)
  local window = vim.fn.getwininfo(api.nvim_get_current_win())[1]
  local room = window.width - window.textoff - width(chunks)
  local both = shortened(words, room - width({ count }) - 4)
  if #both > 0 then
    return vim.list_extend(vim.list_extend(chunks, both), { count })
  end
  local alone = shortened(words, room - 4)
  if #alone == 0 and width({ count }) <= room then
    alone = { count }
  end
  return vim.list_extend(chunks, alone)
end

--- The 'foldtext' of a transcript.
---@return ollama.Chunks
function M.text()
  local decoration = require('ollama-remote.transcript.decoration')
  local first = vim.fn.getline(vim.v.foldstart)
  local boundary = grammar.parse(first)
  local chat = require('ollama-remote.chats').of_buffer(api.nvim_get_current_buf())
  local turn = chat and decoration.turn_at(chat, vim.v.foldstart - 1)
  if boundary and boundary.kind == 'turn' and turn and turn.row == vim.v.foldstart - 1 then
    return of_turn(turn, boundary)
  end
  if boundary and vim.v.foldstart == vim.v.foldend then
    return decoration.chunks(boundary)
  end
  return { { thought(first, vim.fn.getline(vim.v.foldend)), 'OllamaRemoteThinking' } }
end

return M
