-- The text in the prompt: taken when it is sent, given back when it could not be, set aside while a turn is edited.
local M = {}

local chats = require('ollama-remote.chats')

local returned = vim.api.nvim_create_namespace('ollama-remote.returned')

---@param chat ollama.Chat
---@return string[]
local function lines(chat)
  local buffer = chats.buffer(chat, 'prompt')
  return buffer and vim.api.nvim_buf_get_lines(buffer, 0, -1, false) or { '' }
end

---@param text string[]
---@return boolean
local function is_blank(text)
  return table.concat(text):match('^%s*$') ~= nil
end

---@param chat ollama.Chat
---@param text string[]
local function set(chat, text)
  local buffer = chats.buffer(chat, 'prompt')
  if not buffer then
    return
  end
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, text)
  require('ollama-remote.ui').fit_prompt(chat)
end

---@param chat ollama.Chat
---@return string
function M.text(chat)
  return table.concat(lines(chat), '\n')
end

--- Takes what is to be sent out of the prompt; nil when there is nothing.
---@param chat ollama.Chat
---@return ollama.Pending?
function M.take(chat)
  local text = lines(chat)
  if is_blank(text) then
    return nil
  end
  local editing = chat.editing
  M.end_edit(chat)
  if not editing then
    set(chat, { '' })
  end
  -- Blank lines around it are of no meaning; the first line's indentation may be.
  local sent = table.concat(text, '\n'):gsub('^%s*\n', ''):gsub('%s+$', '')
  return { text = sent, replaces = editing and editing.turn or nil }
end

--- The row after the text that was given back last: what was sent after it stands after it here, too.
---@param buffer integer
---@return integer
local function returned_until(buffer)
  local mark = vim.api.nvim_buf_get_extmark_by_id(buffer, returned, 1, {})
  return mark[1] or 0
end

--- Puts text that could not be sent before what was typed since; a turn's text becomes its edit again.
---@param chat ollama.Chat
---@param pending ollama.Pending
function M.give_back(chat, pending)
  if pending.replaces and not chat.editing then
    return M.begin_edit(chat, pending.replaces, pending.text)
  end
  local typed = lines(chat)
  local text = vim.split(pending.text, '\n', { plain = true })
  local buffer = chats.buffer(chat, 'prompt')
  if not buffer then
    return
  end
  if is_blank(typed) then
    vim.api.nvim_buf_clear_namespace(buffer, returned, 0, -1)
    return set(chat, text)
  end
  local row = returned_until(buffer)
  vim.list_extend(text, { '' })
  vim.api.nvim_buf_set_lines(buffer, row, row, false, text)
  vim.api.nvim_buf_set_extmark(buffer, returned, row + #text, 0, { id = 1 })
  require('ollama-remote.ui').fit_prompt(chat)
end

--- Puts text after the draft, with a blank line between, and the cursor on a new line under it.
---@param chat ollama.Chat
---@param text string[]
function M.add(chat, text)
  local draft = lines(chat)
  local all = is_blank(draft) and {} or vim.list_extend(draft, { '' })
  vim.list_extend(all, text)
  vim.list_extend(all, { '' })
  set(chat, all)
  local window = chats.window(chat, 'prompt')
  if window then
    vim.api.nvim_win_set_cursor(window, { #all, 0 })
  end
end

--- Puts a turn's text into the prompt; the draft that stood there is given back when the edit ends.
---@param chat ollama.Chat
---@param turn integer
---@param text string
function M.begin_edit(chat, turn, text)
  chat.editing = { turn = turn, draft = chat.editing and chat.editing.draft or lines(chat) }
  set(chat, vim.split(text, '\n', { plain = true }))
  require('ollama-remote.winbar').refresh(chat)
end

--- Ends an edit, if there is one, and gives the draft back.
---@param chat ollama.Chat
function M.end_edit(chat)
  local editing = chat.editing
  if not editing then
    return
  end
  chat.editing = nil
  set(chat, editing.draft)
  require('ollama-remote.winbar').refresh(chat)
end

return M
