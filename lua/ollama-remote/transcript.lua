-- The transcript's text: written by the host's verbs, never by the user. Its last line is always empty: the phase line's.
-- How the whole of it is written anew is in whole.lua.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local view = require('ollama-remote.transcript.view')

---@class ollama.Written
---@field lines? integer
---@field gone? true

--- Text as buffer lines: a newline at its very end opens no further line.
---@param text string
---@return string[] lines
---@return boolean partial
function M.to_lines(text)
  local whole = text:sub(-1) == '\n'
  return vim.split(whole and text:sub(1, -2) or text, '\n', { plain = true }), not whole
end

--- Writes at the end, before the phase's line. Lines are put in as lines: where text with line ends is put into a line,
--- Neovim moves the folds that end in it.
---@param chat ollama.Chat
---@param buffer integer
---@param text string
---@return integer row of the first line that is not what it was
local function write(chat, buffer, text)
  local lines, partial = M.to_lines(text)
  local last = api.nvim_buf_line_count(buffer) - 1
  local first = last
  vim.bo[buffer].modifiable = true
  if chat.partial then
    first = last - 1
    local column = #api.nvim_buf_get_lines(buffer, first, last, false)[1]
    local rest = table.remove(lines, 1)
    api.nvim_buf_set_text(buffer, first, column, first, column, { rest })
  end
  if #lines > 0 then
    api.nvim_buf_set_lines(buffer, last, last, false, lines)
  end
  vim.bo[buffer].modifiable = false
  chat.partial = partial
  return first
end

--- While the person is at the command line, Neovim does not show what was written until it is told to.
---@param buffer integer
function M.show(buffer)
  if api.nvim_get_mode().mode:find('^[cr]') then
    api.nvim__redraw({ buf = buffer, valid = false, flush = true })
  end
end

---@param chat ollama.Chat
---@param first integer 0-based row from which lines are new
---@return ollama.Fold[]
local function decorate(chat, first)
  require('ollama-remote.highlights')
  require('ollama-remote.transcript.highlighter').fit(chat.buffers.transcript)
  return require('ollama-remote.transcript.decoration').extend(chat, first)
end

--- Adds text at the end; the view follows in the windows that were at the end, and stays put in all others.
---@param chat ollama.Chat
---@param text string
---@return ollama.Written
function M.append(chat, text)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return { gone = true }
  end
  local following = view.followers(buffer)
  if text ~= '' then
    M.after_write(chat, buffer, write(chat, buffer, text), following)
  end
  return { lines = api.nvim_buf_line_count(buffer) }
end

---@param chat ollama.Chat
---@param buffer integer
---@param first integer
---@param following integer[]
function M.after_write(chat, buffer, first, following)
  local ended = decorate(chat, first)
  view.to_end(following)
  require('ollama-remote.transcript.folds').extend(chat, ended)
  if #ended > 0 then
    view.fill(following)
  end
  require('ollama-remote.transcript.phase').place(chat)
  M.show(buffer)
end

--- The text as the host wrote it.
---@param chat ollama.Chat
---@param first? integer 0-based row of its first line
---@param last? integer row after its last one
---@return string
function M.text(chat, first, last)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return ''
  end
  local phase = api.nvim_buf_line_count(buffer) - 1
  local lines = api.nvim_buf_get_lines(buffer, first or 0, last or phase, false)
  if #lines == 0 then
    return ''
  end
  local partial = chat.partial and (last or phase) >= phase
  return table.concat(lines, '\n') .. (partial and '' or '\n')
end

--- Goes to the end, where what comes next can be seen.
---@param chat ollama.Chat
function M.to_end(chat)
  local window = chats.window(chat, 'transcript')
  if window then
    view.to_end({ window })
    view.fill({ window })
  end
end

return M
