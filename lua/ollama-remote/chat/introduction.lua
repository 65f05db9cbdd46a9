-- How a chat is made known to a new host: by what was written down of it, and by what stands in the transcript. Of a long one
-- only the end is sent, with the measures of what is above, which the host compares with what it knows; when that is
-- something else, all of it goes in pieces, so that the editor never stands still.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local rpc = require('ollama-remote.rpc')

--- A transcript of more bytes is long.
local LONG = 100000

--- So many turns are the end: more cannot have come since it was last written down.
local END_TURNS = 4

--- Lines of a piece.
local PIECE = 2000

---@class ollama.Above the turns with which a transcript begins
---@field turns integer
---@field lines integer
---@field bytes integer
---@field sum string

---@param chat ollama.Chat
---@param turns integer
---@param row integer 0-based row below them
---@return ollama.Above
local function measure(chat, turns, row)
  local headings = {}
  for index = 1, turns do
    local turn = chat.outline.turns[index]
    headings[index] = ('%d %s\n'):format(turn.row, turn.heading)
  end
  return {
    turns = turns,
    lines = row,
    bytes = api.nvim_buf_get_offset(chat.buffers.transcript, row),
    sum = vim.fn.sha256(table.concat(headings)),
  }
end

--- Where the end begins: with the last turns, as far as they are not long themselves.
---@param chat ollama.Chat
---@param buffer integer
---@param last integer row of the phase's line
---@return integer turns above it
---@return integer row
local function cut(chat, buffer, last)
  local outline = chat.outline.turns
  local size = api.nvim_buf_get_offset(buffer, last)
  for ordinal = math.max(1, #outline - END_TURNS + 1), #outline do
    local row = outline[ordinal].row
    if size - api.nvim_buf_get_offset(buffer, row) <= LONG then
      return ordinal - 1, row
    end
  end
  return #outline, last
end

---@param chat ollama.Chat
---@return table params of chat.open
function M.of(chat)
  local params = { chat = chat.id, key = chat.key, was_busy = chat.was_busy }
  local buffer = chats.buffer(chat, 'transcript')
  -- Of a transcript that is still being written only the end is there.
  if not buffer or chat.drawing then
    return params
  end
  local transcript = require('ollama-remote.transcript')
  local last = api.nvim_buf_line_count(buffer) - 1
  if api.nvim_buf_get_offset(buffer, last) <= LONG then
    local text = transcript.text(chat)
    params.transcript = text:match('%S') and text or nil
    return params
  end
  local turns, row = cut(chat, buffer, last)
  params.above = measure(chat, turns, row)
  params.transcript = transcript.text(chat, row)
  return params
end

--- Sends all of the transcript, piece by piece, and then has the chat opened.
---@param chat ollama.Chat
---@param callback ollama.Callback
function M.tell_all(chat, callback)
  local buffer = chats.buffer(chat, 'transcript')
  local function send(piece, row)
    local last = buffer and api.nvim_buf_is_valid(buffer) and api.nvim_buf_line_count(buffer) - 1
      or 0
    if row >= last then
      local params = { chat = chat.id, key = chat.key, was_busy = chat.was_busy }
      params.pieces = piece > 1 and piece - 1 or nil
      return rpc.request('chat.open', params, callback)
    end
    local text = require('ollama-remote.transcript').text(chat, row, math.min(row + PIECE, last))
    rpc.request('chat.piece', { chat = chat.id, piece = piece, text = text }, function(failure)
      if failure then
        return callback(failure)
      end
      send(piece + 1, row + PIECE)
    end)
  end
  send(1, 0)
end

return M
