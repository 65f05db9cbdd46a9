-- The text in the prompt: taken when it is sent, given back when it could not be, set aside while a turn is edited.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

--- Marks the last line of what was given back.
local returned = api.nvim_create_namespace('ollama-remote.returned')

---@param chat ollama.Chat
---@return string[]
local function lines(chat)
  local buffer = chats.buffer(chat, 'prompt')
  return buffer and api.nvim_buf_get_lines(buffer, 0, -1, false) or chat.rescued or { '' }
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
    chat.rescued = text
    return
  end
  api.nvim_buf_clear_namespace(buffer, returned, 0, -1)
  api.nvim_buf_set_lines(buffer, 0, -1, false, text)
  require('ollama-remote.ui.layout').fit_prompt(chat)
end

--- Changes a prompt in which nothing was written yet: `u` takes nothing of that back.
---@param buffer integer
---@param change fun()
function M.unrecorded(buffer, change)
  local levels = vim.bo[buffer].undolevels
  vim.bo[buffer].undolevels = -1
  change()
  vim.bo[buffer].undolevels = levels
end

---@param chat ollama.Chat
---@return string
function M.text(chat)
  return table.concat(lines(chat), '\n')
end

--- Whether something was written and not sent, in an edit or before it.
---@param chat ollama.Chat
---@return boolean
function M.has_words(chat)
  return not is_blank(lines(chat)) or (chat.editing ~= nil and not is_blank(chat.editing.draft))
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
  local edited = editing or {}
  return { text = sent, replaces = edited.turn, seen = edited.seen }
end

--- A turn that is being edited is not to be mixed with a prompt: that waits in the draft for the edit's end.
---@param editing { turn: integer, draft: string[] }
---@param text string[]
local function set_aside(editing, text)
  if is_blank(editing.draft) then
    editing.draft = text
  else
    editing.draft = vim.list_extend(vim.list_extend(vim.list_slice(editing.draft), { '' }), text)
  end
  local told = 'A prompt came back: it stands here again when the edit has ended'
  require('ollama-remote.message').whisper(told)
end

--- Puts text that could not be sent before what was typed since, but after what was sent and given back before it;
--- a turn's text becomes its edit again.
---@param chat ollama.Chat
---@param pending ollama.Pending
function M.give_back(chat, pending)
  if pending.replaces and not chat.editing then
    return M.begin_edit(chat, pending)
  end
  local text = vim.split(pending.text, '\n', { plain = true })
  if chat.editing then
    return set_aside(chat.editing, text)
  end
  local typed = lines(chat)
  local buffer = chats.buffer(chat, 'prompt')
  if not buffer then
    chat.rescued = is_blank(typed) and text or vim.list_extend(vim.list_extend(text, { '' }), typed)
    return
  end
  local last = api.nvim_buf_get_extmark_by_id(buffer, returned, 1, {})[1]
  local row = 0
  if is_blank(typed) then
    set(chat, text)
  elseif last then
    row = last + 2
    api.nvim_buf_set_lines(buffer, last + 1, last + 1, false, vim.list_extend({ '' }, text))
  else
    api.nvim_buf_set_lines(buffer, 0, 0, false, vim.list_extend(vim.list_slice(text), { '' }))
  end
  api.nvim_buf_set_extmark(buffer, returned, row + #text - 1, 0, { id = 1 })
  require('ollama-remote.ui.layout').fit_prompt(chat)
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
    api.nvim_win_set_cursor(window, { #all, 0 })
  end
end

--- Puts a turn's text into the prompt; the draft that stood there is given back when the edit ends.
---@param chat ollama.Chat
---@param edited ollama.Pending
function M.begin_edit(chat, edited)
  local draft = chat.editing and chat.editing.draft or lines(chat)
  chat.editing = { turn = edited.replaces, seen = edited.seen, draft = draft }
  set(chat, vim.split(edited.text, '\n', { plain = true }))
  require('ollama-remote.ui.winbar').refresh(chat)
end

---@param chat ollama.Chat
---@param draft { text: string, editing?: integer, aside?: string }
local function put_back(chat, draft)
  if not draft.editing then
    return M.give_back(chat, { text = draft.text })
  end
  if draft.aside then
    M.give_back(chat, { text = draft.aside })
  end
  M.begin_edit(chat, { text = draft.text, replaces = draft.editing })
end

--- Puts back what was being written when its Neovim went, before what was written since.
---@param chat ollama.Chat
---@param draft { text: string, editing?: integer, aside?: string }
function M.restore(chat, draft)
  local buffer = chats.buffer(chat, 'prompt')
  if not buffer or not is_blank(lines(chat)) then
    return put_back(chat, draft)
  end
  M.unrecorded(buffer, function()
    put_back(chat, draft)
  end)
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
  require('ollama-remote.ui.winbar').refresh(chat)
end

return M
