-- The folds of a transcript: each turn, and in it a thinking that has ended and the footer, which is too long to be
-- concealed (Neovim wraps a line as long as it was before concealing). They are manual, so that they cost nothing where
-- nothing changes. They belong to windows; what was opened and closed is kept by headings, and a new window gets it again.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

--- Turns are open at first, what is in them is closed.
local LEVEL = 1

--- What is closed and opened in one window, by the turn's heading.
---@alias ollama.FoldStates table<string, { closed?: boolean, opened: table<string, true> }>

---@class ollama.KeptFolds
---@field windows table<integer, ollama.FoldStates>
---@field last? ollama.FoldStates of the chat's own window

---@param row integer 0-based
---@return boolean
local function is_closed(row)
  return vim.fn.foldclosed(row + 1) == row + 1
end

---@param first integer 0-based
---@param last integer 0-based
---@return string
local function fold_command(first, last)
  return ('%d,%dfold'):format(first + 1, last + 1)
end

---@param verb 'foldopen'|'foldclose'
---@param rows integer[] 0-based
local function set_folds(verb, rows)
  local commands = vim.tbl_map(function(row)
    return ('silent! %d%s'):format(row + 1, verb)
  end, rows)
  -- All at once: one by one they take three times as long.
  api.nvim_exec2(table.concat(commands, '\n'), {})
end

--- Runs commands that make folds: a range that touches a closed fold would be widened to the whole of it.
---@param commands string[]
local function make(commands)
  local enabled = vim.wo.foldenable and 'foldenable' or 'nofoldenable'
  table.insert(commands, 1, 'noautocmd setlocal nofoldenable')
  commands[#commands + 1] = 'noautocmd setlocal ' .. enabled
  api.nvim_exec2(table.concat(commands, '\n'), {})
end

---@param chat ollama.Chat
---@param action fun(window: integer)
local function in_each_window(chat, action)
  for _, window in ipairs(vim.fn.win_findbuf(chat.buffers.transcript)) do
    api.nvim_win_call(window, function()
      action(window)
    end)
  end
end

--- The last row of a turn. The transcript's last line, the phase's, is in no fold.
---@param chat ollama.Chat
---@param ordinal integer
---@return integer 0-based
local function end_of(chat, ordinal)
  local following = chat.outline.turns[ordinal + 1]
  return following and following.row - 1 or api.nvim_buf_line_count(chat.buffers.transcript) - 2
end

--- Makes a turn's fold as long as the turn is now. Neovim has no way to lengthen one: it is taken away, which leaves those
--- in it as they are, and made anew around them.
---@param turn ollama.Turn
---@param last integer 0-based
local function cover(turn, last)
  local was_closed = is_closed(turn.row)
  if turn.folded_to then
    local view = vim.fn.winsaveview()
    api.nvim_win_set_cursor(0, { turn.row + 1, 0 })
    vim.cmd('noautocmd silent! normal! zd')
    vim.fn.winrestview(view)
  end
  make({ fold_command(turn.row, last) })
  if not was_closed then
    set_folds('foldopen', { turn.row })
  end
end

--- The turns whose folds end before they do, with where they end.
---@param chat ollama.Chat
---@return { turn: ollama.Turn, last: integer }[]
local function uncovered(chat)
  local outline, found = chat.outline, {}
  -- In visual mode the command that takes a fold away would take the selection's; the next text makes it good.
  if api.nvim_get_mode().mode:find('^[vV\22]') then
    return found
  end
  for ordinal = outline.covered, #outline.turns do
    local turn, last = outline.turns[ordinal], end_of(chat, ordinal)
    if turn.folded_to ~= last then
      found[#found + 1] = { turn = turn, last = last }
    end
  end
  outline.covered = math.max(1, #outline.turns)
  return found
end

--- Closes folds over what has ended, but opens the one that is being read here.
---@param ended ollama.Fold[]
local function close(ended)
  local row = vim.fn.line('.') - 1
  make(vim.tbl_map(function(range)
    return fold_command(range.first, range.last)
  end, ended))
  for _, range in ipairs(ended) do
    if row > range.first and row <= range.last then
      set_folds('foldopen', { range.first })
    end
  end
end

--- Keeps the folds in step with text that was added at the end.
---@param chat ollama.Chat
---@param ended ollama.Fold[] what of a turn has come to its end
function M.extend(chat, ended)
  local short = uncovered(chat)
  if #short == 0 and #ended == 0 then
    return
  end
  in_each_window(chat, function()
    for _, entry in ipairs(short) do
      cover(entry.turn, entry.last)
    end
    if #ended > 0 then
      close(ended)
    end
  end)
  for _, entry in ipairs(short) do
    entry.turn.folded_to = entry.last
  end
end

--- What is closed and opened in the current window.
---@param outline { turns: ollama.Turn[] }
---@return ollama.FoldStates
local function read(outline)
  local states, closed_rows = {}, {}
  for _, turn in ipairs(outline.turns) do
    local closed = is_closed(turn.row)
    states[turn.key] = { closed = closed, opened = {} }
    closed_rows[#closed_rows + 1] = closed and turn.row or nil
  end
  -- Only then is seen what is in them.
  set_folds('foldopen', closed_rows)
  for _, turn in ipairs(outline.turns) do
    for _, fold in ipairs(turn.folds) do
      states[turn.key].opened[fold.kind] = not is_closed(fold.first) or nil
    end
  end
  set_folds('foldclose', closed_rows)
  return states
end

--- Remembers what is opened and closed, before the windows or the text go.
---@param chat ollama.Chat
function M.keep(chat)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return
  end
  local kept = { windows = {}, last = chat.folds and chat.folds.last }
  in_each_window(chat, function(window)
    -- A window that was just made, or given to this chat, has no folds that mean anything.
    if vim.w.ollama_folds == buffer then
      kept.windows[window] = read(chat.outline)
    end
  end)
  kept.last = kept.windows[chat.windows.transcript] or kept.last
  chat.folds = kept
end

---@param outline { turns: ollama.Turn[] }
---@param states ollama.FoldStates
local function apply(outline, states)
  local opened_rows, closed_rows = {}, {}
  for _, turn in ipairs(outline.turns) do
    local state = states[turn.key] or { opened = {} }
    for _, fold in ipairs(turn.folds) do
      opened_rows[#opened_rows + 1] = state.opened[fold.kind] and fold.first or nil
    end
    closed_rows[#closed_rows + 1] = state.closed and turn.row or nil
  end
  set_folds('foldopen', opened_rows)
  set_folds('foldclose', closed_rows)
end

--- The command that makes a turn's fold as long as the turn is now; none where lines are still to come above its heading,
--- for Neovim does not shift a fold that begins where lines are put in, but lengthens it.
---@param chat ollama.Chat
---@param ordinal integer
---@return string[]
local function turn_command(chat, ordinal)
  local turn = chat.outline.turns[ordinal]
  if turn.row == 0 and chat.drawing then
    return {}
  end
  turn.folded_to = end_of(chat, ordinal)
  return { fold_command(turn.row, turn.folded_to) }
end

---@param turn ollama.Turn
---@return string[]
local function inner_commands(turn)
  return vim.tbl_map(function(fold)
    return fold_command(fold.first, fold.last)
  end, turn.folds)
end

--- Makes all folds anew in all windows of the transcript, each open or closed as it was kept.
---@param chat ollama.Chat
function M.restore(chat)
  local outline, commands = chat.outline, {}
  for ordinal in ipairs(outline.turns) do
    vim.list_extend(commands, turn_command(chat, ordinal))
    vim.list_extend(commands, inner_commands(outline.turns[ordinal]))
  end
  outline.covered = math.max(1, #outline.turns)
  local kept = chat.folds or { windows = {} }
  in_each_window(chat, function(window)
    vim.cmd('noautocmd silent! setlocal foldmethod=manual | normal! zE')
    make(vim.list_slice(commands))
    vim.cmd('noautocmd setlocal foldlevel=' .. LEVEL)
    apply(outline, kept.windows[window] or kept.last or {})
    vim.w.ollama_folds = chat.buffers.transcript
  end)
end

--- Whether a script for the filetype has set a way of folding of its own in the window.
---@param window integer
---@return boolean
function M.is_disturbed(window)
  return vim.wo[window].foldmethod ~= 'manual' or vim.wo[window].foldlevel ~= LEVEL
end

--- Gives the first turns, which were put in above all others, their folds in all windows that have those of the others.
---@param chat ollama.Chat
---@param count integer
function M.prepend(chat, count)
  local turns, commands, whole = chat.outline.turns, {}, {}
  for ordinal = 1, math.min(count + 1, #turns) do
    local turn = turns[ordinal]
    local command = turn.folded_to and {} or turn_command(chat, ordinal)
    whole[#whole + 1] = #command > 0 and turn or nil
    vim.list_extend(commands, command)
    vim.list_extend(commands, ordinal <= count and inner_commands(turn) or {})
  end
  local kept = chat.folds or { windows = {} }
  in_each_window(chat, function(window)
    if #commands == 0 or vim.w.ollama_folds ~= chat.buffers.transcript then
      return
    end
    make(vim.list_slice(commands))
    set_folds(
      'foldopen',
      vim.tbl_map(function(turn)
        return turn.row
      end, whole)
    )
    apply({ turns = whole }, kept.windows[window] or kept.last or {})
  end)
end

---@param chat ollama.Chat
---@param row integer 0-based
---@return { turns: ollama.Turn[] }
local function turns_from(chat, row)
  return {
    turns = vim.tbl_filter(function(turn)
      return turn.row >= row
    end, chat.outline.turns),
  }
end

--- What is closed and opened in each window from a row on, before the text there goes.
---@param chat ollama.Chat
---@param row integer 0-based
---@return table<integer, ollama.FoldStates>
function M.cut(chat, row)
  local states = {}
  in_each_window(chat, function(window)
    states[window] = read(turns_from(chat, row))
  end)
  return states
end

--- Opens and closes again what was, after other text has come from that row on.
---@param chat ollama.Chat
---@param row integer 0-based
---@param states table<integer, ollama.FoldStates>
function M.resume(chat, row, states)
  in_each_window(chat, function(window)
    apply(turns_from(chat, row), states[window] or {})
  end)
end

--- Gives all windows of the transcript its folds, as those that are new need it.
---@param chat ollama.Chat
function M.redo(chat)
  M.keep(chat)
  M.restore(chat)
end

return M
