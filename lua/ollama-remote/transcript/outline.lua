-- The turns of a chat as a location list of its transcript's window.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

---@param chat ollama.Chat
---@return table[] items
local function items(chat)
  local buffer, turns = chat.buffers.transcript, chat.outline.turns
  local foldtext = require('ollama-remote.transcript.foldtext')
  local found = {}
  for ordinal, turn in ipairs(turns) do
    local following = turns[ordinal + 1]
    local last = following and following.row - 1 or api.nvim_buf_line_count(buffer) - 2
    local words = foldtext.first_words(buffer, turn, last)
    local text = words == '' and turn.name or ('%s: %s'):format(turn.name, words)
    found[ordinal] = { bufnr = buffer, lnum = turn.row + 1, text = text }
  end
  return found
end

--- Only the text: all entries are of one buffer, whose name says nothing.
---@param info { id: integer, winid: integer, start_idx: integer, end_idx: integer }
---@return string[]
local function rows(info)
  local list = vim.fn.getloclist(info.winid, { id = info.id, items = 1 }).items
  return vim.tbl_map(function(item)
    return item.text
  end, vim.list_slice(list, info.start_idx, info.end_idx))
end

--- Opens the list at the turn that the cursor is in.
function M.open()
  local chat = chats.of_buffer(api.nvim_get_current_buf())
  local window = chat and chats.window(chat, 'transcript')
  if not chat or not window then
    return require('ollama-remote.message').whisper('No transcript is shown')
  end
  local row = api.nvim_win_get_cursor(window)[1] - 1
  local _, ordinal = require('ollama-remote.transcript.decoration').turn_at(chat, row)
  vim.fn.setloclist(window, {}, ' ', {
    title = 'Turns',
    items = items(chat),
    idx = ordinal or 1,
    quickfixtextfunc = rows,
  })
  api.nvim_set_current_win(window)
  local half = math.max(3, math.floor(api.nvim_win_get_height(window) / 2))
  vim.cmd.lopen({ count = math.max(1, math.min(10, half, #chat.outline.turns)) })
  vim.wo.wrap = false
end

return M
