-- What is drawn over the transcript's boundary lines, and the bar beside each turn. Nothing here changes text.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local grammar = require('ollama-remote.transcript.grammar')

--- Above what plugins draw that render Markdown: theirs comes at 4096, by default.
local PRIORITY = 10000

local namespace = api.nvim_create_namespace('ollama-remote.transcript.decoration')

local ROLE_GROUPS = {
  user = 'OllamaRemoteUser',
  model = 'OllamaRemoteModel',
  system = 'OllamaRemoteSystem',
}

---@alias ollama.Chunks { [1]: string, [2]: string }[]

---@type table<string, fun(boundary: ollama.Boundary): ollama.Chunks>
local DRAWINGS = {
  turn = function(boundary)
    local time = boundary.time and (' · ' .. boundary.time) or ''
    return { { boundary.name, ROLE_GROUPS[boundary.role] }, { time, 'OllamaRemoteDim' } }
  end,
  thinking = function()
    return { { '▾ thinking', 'OllamaRemoteThinking' } }
  end,
  answer = function(boundary)
    local thought = boundary.seconds
    local text = thought and ('thought for ' .. grammar.duration(thought)) or 'thought'
    return { { '▴ ' .. text, 'OllamaRemoteThinking' } }
  end,
  note = function(boundary)
    local failed = boundary.name:match('^failed') ~= nil
    local group = failed and 'OllamaRemoteFailed' or 'OllamaRemoteNote'
    return { { (failed and '✗ ' or '! ') .. boundary.name, group } }
  end,
  footer = function(boundary)
    return { { grammar.receipt(boundary.facts), 'OllamaRemoteReceipt' } }
  end,
}

--- The drawing of a boundary line.
---@param boundary ollama.Boundary
---@return ollama.Chunks
function M.chunks(boundary)
  return DRAWINGS[boundary.kind](boundary)
end

---@param buffer integer
---@param row integer
---@param line string
---@param boundary ollama.Boundary
local function draw(buffer, row, line, boundary)
  api.nvim_buf_set_extmark(buffer, namespace, row, 0, {
    end_col = #line,
    conceal = '',
    virt_text = M.chunks(boundary),
    -- An overlay is drawn on a closed fold too, where the fold's own text says more.
    virt_text_pos = boundary.kind == 'thinking' and 'inline' or 'overlay',
    hl_mode = 'combine',
    priority = PRIORITY,
  })
end

--- A heading without the number of the variant that is shown.
---@param line string
---@return string
local function bare(line)
  return (line:gsub(' · ‹%d+/%d+›$', ''))
end

--- The heading by which a turn is known again, though another variant of it may be shown.
---@param outline ollama.Outline
---@param line string
---@return string
local function key_of(outline, line)
  local heading = bare(line)
  local count = (outline.headings[heading] or 0) + 1
  outline.headings[heading] = count
  return count == 1 and heading or ('%s %d'):format(heading, count)
end

--- Puts a part of the last turn among what is folded.
---@param outline ollama.Outline
---@param fold ollama.Fold
---@return ollama.Fold
local function add_fold(outline, fold)
  local turn = outline.turns[#outline.turns]
  if turn then
    table.insert(turn.folds, fold)
  end
  return fold
end

--- Reads what a boundary changes in the outline; returns what is to be folded now, if anything.
---@param outline ollama.Outline
---@param row integer
---@param line string
---@param boundary ollama.Boundary
---@return ollama.Fold[]
local function note(outline, row, line, boundary)
  local ended = {}
  local began = outline.thinking
  if began and boundary.kind ~= 'thinking' then
    outline.thinking = nil
    local last = boundary.kind == 'answer' and row or row - 1
    ended[1] = add_fold(outline, { first = began, last = last, kind = 'thinking' })
  end
  if boundary.kind == 'turn' then
    table.insert(outline.turns, {
      row = row,
      role = boundary.role,
      name = boundary.name,
      heading = line,
      key = key_of(outline, line),
      folds = {},
    })
  elseif boundary.kind == 'thinking' then
    outline.thinking = row
  elseif boundary.kind == 'footer' then
    ended[#ended + 1] = add_fold(outline, { first = row, last = row, kind = 'footer' })
  end
  return ended
end

---@class ollama.Found a boundary, and where it stands
---@field row integer
---@field line string
---@field boundary ollama.Boundary

--- Draws over lines; returns the boundaries among them.
---@param buffer integer
---@param first integer 0-based row of the first of them
---@param lines string[]
---@return ollama.Found[]
local function draw_all(buffer, first, lines)
  local found = {}
  for index, line in ipairs(lines) do
    local boundary = line:find('◆', 1, true) and grammar.parse(line)
    if boundary then
      local row = first + index - 1
      draw(buffer, row, line, boundary)
      found[#found + 1] = { row = row, line = line, boundary = boundary }
    end
  end
  return found
end

--- Draws over the lines from a row to the end and keeps the outline. Returns what is to be folded.
---@param chat ollama.Chat
---@param first integer 0-based row of the first line that was not whole before
---@return ollama.Fold[]
function M.extend(chat, first)
  local buffer = chat.buffers.transcript --[[@as integer]]
  local folds = {}
  local lines = api.nvim_buf_get_lines(buffer, first, -1, false)
  for _, found in ipairs(draw_all(buffer, first, lines)) do
    vim.list_extend(folds, note(chat.outline, found.row, found.line, found.boundary))
  end
  return folds
end

--- Lines were put in above all that the outline speaks of.
---@param outline ollama.Outline
---@param by integer
local function shift(outline, by)
  for _, turn in ipairs(outline.turns) do
    turn.row = turn.row + by
    turn.folded_to = turn.folded_to and turn.folded_to + by
    for _, fold in ipairs(turn.folds) do
      fold.first, fold.last = fold.first + by, fold.last + by
    end
  end
  for _, found in ipairs(outline.loose) do
    found.row = found.row + by
  end
  outline.thinking = outline.thinking and outline.thinking + by
end

--- Puts the turns of one outline before those of another.
---@param head ollama.Outline
---@param outline ollama.Outline
local function join(head, outline)
  local first = outline.turns[1]
  if head.thinking and first then
    add_fold(head, { first = head.thinking, last = first.row - 1, kind = 'thinking' })
  elseif head.thinking then
    outline.thinking = head.thinking
  end
  outline.turns = vim.list_extend(head.turns, outline.turns)
  outline.covered = math.max(1, #outline.turns)
  outline.headings = {}
  for _, turn in ipairs(outline.turns) do
    turn.key = key_of(outline, turn.heading)
  end
end

--- Draws over lines that were put in above all others, and adds their turns to the outline. What stands above the first
--- heading of all that is there waits for its own.
---@param chat ollama.Chat
---@param lines string[]
---@param is_top boolean whether nothing else is to come above them
---@return integer count of the turns that are new in the outline
function M.prepend(chat, lines, is_top)
  local outline, head = chat.outline, chats.empty_outline()
  shift(outline, #lines)
  local found = draw_all(chat.buffers.transcript, 0, lines)
  vim.list_extend(found, outline.loose)
  outline.loose = {}
  for _, entry in ipairs(found) do
    if is_top or #head.turns > 0 or entry.boundary.kind == 'turn' then
      note(head, entry.row, entry.line, entry.boundary)
    else
      table.insert(outline.loose, entry)
    end
  end
  local count = #head.turns
  join(head, outline)
  return count
end

---@param chat ollama.Chat
function M.clear(chat)
  api.nvim_buf_clear_namespace(chat.buffers.transcript, namespace, 0, -1)
  chat.outline = chats.empty_outline()
end

--- Forgets what stands from a turn's heading on, or below the last turn.
---@param chat ollama.Chat
---@param row integer 0-based
function M.cut(chat, row)
  api.nvim_buf_clear_namespace(chat.buffers.transcript, namespace, row, -1)
  local outline = chat.outline
  local turns = outline.turns
  while #turns > 0 and turns[#turns].row >= row do
    local heading = bare(table.remove(turns).heading)
    local count = outline.headings[heading] - 1
    outline.headings[heading] = count > 0 and count or nil
  end
  outline.thinking = nil
  outline.covered = math.max(1, math.min(outline.covered, #turns))
end

--- The turn that a row belongs to, and its ordinal from 1; nil before the first heading.
---@param chat ollama.Chat
---@param row integer 0-based
---@return ollama.Turn?
---@return integer?
function M.turn_at(chat, row)
  local turns = chat.outline.turns
  local low, high = 1, #turns
  while low <= high do
    local middle = math.floor((low + high) / 2)
    if turns[middle].row <= row then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return turns[high], turns[high] and high or nil
end

--- The 'statuscolumn' of a transcript, evaluated in its window: a bar in the colour of who speaks.
---@return string
function M.bar()
  local chat = chats.of_buffer(api.nvim_get_current_buf())
  local turn = chat and M.turn_at(chat, vim.v.lnum - 1)
  return turn and ('%#' .. ROLE_GROUPS[turn.role] .. '#▎') or ' '
end

return M
