-- What `:write` and its kin do in a chat's buffers: save the chat, or write a copy of its text to any file.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local save = require('ollama-remote.saved.save')
local transcript = require('ollama-remote.transcript')

local group = api.nvim_create_augroup('ollama-remote.saved.write', { clear = true })

--- A copy is written in parts of so many lines.
local COPIED_LINES = 2000

--- Writes what the transcript shows to any file, as `:write /path` does with any buffer.
---@param chat ollama.Chat
---@param path string
local function write_copy(chat, path)
  if chat.drawing then
    return message.say('The transcript is not whole yet: write the copy a moment later', 'warn')
  end
  local last = api.nvim_buf_line_count(chat.buffers.transcript) - 1
  local file, failure = io.open(path, 'wb')
  local written, bytes = false, 0
  if file then
    local row = 0
    repeat
      local part = transcript.text(chat, row, math.min(row + COPIED_LINES, last))
      written, failure = file:write(part)
      row, bytes = row + COPIED_LINES, bytes + #part
    until not written or row >= last
    -- A full disk may tell of itself only here.
    local closed, at_last = file:close()
    written, failure = written and closed, failure or at_last
  end
  if not written then
    return message.say(('E212: Cannot write the copy: %s'):format(failure), 'error')
  end
  message.say(('A copy was written to %s (%d bytes)'):format(path, bytes))
end

--- Set while Neovim writes buffers in order to leave: then there is no time for questions.
local is_leaving = false

--- Written without a name by the command that runs now.
---@type ollama.Chat[]
local nameless = {}

--- Lets the chat be saved which was written, if it was not yet.
---@param chat ollama.Chat
---@return boolean
local function take(chat)
  local was = chat.written
  chat.written = nil
  nameless = vim.tbl_filter(function(other)
    return other ~= chat
  end, nameless)
  return was == true
end

--- Asks for a name when the command is over, for `:wq` writes first and tells only then that it leaves. It would not leave a
--- buffer that is still 'modified'.
---@param chat ollama.Chat
---@param buffer integer
local function ask_later(chat, buffer)
  chat.written = true
  save.mark(chat)
  nameless[#nameless + 1] = chat
  vim.schedule(function()
    if not take(chat) or not chats.get(chat.id) then
      return
    end
    save.mark(chat)
    -- `:wall` writes buffers that nobody looks at; a row of questions would be no help.
    if api.nvim_get_current_buf() == buffer then
      return save.save(chat)
    end
    save.save_unasked(chat)
  end)
end

---@param chat ollama.Chat
---@param buffer integer
local function write(chat, buffer)
  if not save.asks_name(chat) then
    return save.save(chat)
  end
  if is_leaving then
    return save.save_unasked(chat)
  end
  ask_later(chat, buffer)
end

---@param buffer integer
---@param event { file: string, match: string }
local function on_write(buffer, event)
  local chat = chats.of_buffer(buffer)
  if not chat then
    return
  end
  local saved_as = require('ollama-remote.chat.buffers').was_renamed(buffer)
  if event.match == api.nvim_buf_get_name(buffer) and not saved_as then
    return write(chat, buffer)
  end
  if event.file:find('[/\\]') then
    return write_copy(chat, event.match)
  end
  save.save(chat, event.file)
  -- Neovim has made a buffer of that name, for `#`, in which nothing ever was.
  vim.schedule(function()
    local stray = vim.fn.bufnr('^' .. vim.fn.escape(event.file, '*?[]{},\\') .. '$')
    if stray > 0 and not api.nvim_buf_is_loaded(stray) and not vim.bo[stray].buflisted then
      api.nvim_buf_delete(stray, { force = true })
    end
  end)
end

--- `ZZ` writes what is 'modified', which the prompt never is, and the chat that it belongs to may be.
---@param chat ollama.Chat
---@param buffer integer
local function map_leaving(chat, buffer)
  if vim.fn.maparg('ZZ', 'n') ~= '' then
    return
  end
  vim.keymap.set('n', 'ZZ', function()
    return save.would_lose(chat) and '<Cmd>wq<CR>' or '<Cmd>quit<CR>'
  end, { buffer = buffer, expr = true, desc = 'Ollama: save the chat and close it' })
end

--- Lets a new buffer of a chat be written.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param buffer integer
function M.attach(chat, part, buffer)
  api.nvim_create_autocmd('BufWriteCmd', {
    group = group,
    buffer = buffer,
    callback = function(event)
      on_write(buffer, event)
    end,
  })
  if part == 'prompt' then
    map_leaving(chat, buffer)
  end
  -- Every change of the text sets 'modified' anew, an undo after the text was changed.
  api.nvim_create_autocmd('BufModifiedSet', {
    group = group,
    buffer = buffer,
    callback = function()
      save.mark(chat)
    end,
  })
  api.nvim_buf_attach(buffer, false, {
    on_lines = function()
      if chat.buffers[part] ~= buffer then
        return true
      end
      save.mark(chat)
    end,
  })
end

-- `:x` in the prompt, as `ZZ` there: it writes what is 'modified' when it runs, and writing takes that back.
api.nvim_create_autocmd('CmdlineLeave', {
  group = group,
  pattern = ':',
  callback = function()
    local is_leave = not vim.v.event.abort and vim.fn.getcmdline():match('^%s*:*%s*(%a+)!?%s*$')
    local buffer = api.nvim_get_current_buf()
    local chat, part = chats.of_buffer(buffer)
    if vim.list_contains({ 'x', 'xi', 'xit', 'exi', 'exit' }, is_leave) and part == 'prompt' then
      vim.bo[buffer].modified = chat ~= nil and save.would_lose(chat)
    end
  end,
})

api.nvim_create_autocmd('QuitPre', {
  group = group,
  callback = function()
    is_leaving = true
    vim.schedule(function()
      is_leaving = false
    end)
    for _, chat in ipairs(nameless) do
      take(chat)
      save.save_unasked(chat)
    end
  end,
})

return M
