-- The chat's two buffers: made with their options and keys, and wiped. Their windows are ui.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

local group = api.nvim_create_augroup('ollama-remote.chat.buffers', { clear = true })

---@type table<'transcript'|'prompt', table<string, any>>
local BUFFER_OPTIONS = {
  transcript = { undolevels = -1, modifiable = false },
  prompt = {},
}

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@return string
local function buffer_name(chat, part)
  local name = ('ollama-%s://%d'):format(part == 'prompt' and 'prompt' or 'chat', chat.id)
  local title = part == 'transcript' and chat.state.title
  return title and (name .. '/' .. title:gsub('[%c/]', ' ')) or name
end

---@param name string
---@param except integer
local function delete_named(name, except)
  for _, buffer in ipairs(api.nvim_list_bufs()) do
    if buffer ~= except and api.nvim_buf_get_name(buffer) == name then
      pcall(api.nvim_buf_delete, buffer, { force = true })
    end
  end
end

--- Set while a buffer gets the name that is wanted.
local is_naming = false

---@param buffer integer
---@param name string
local function name_buffer(buffer, name)
  delete_named(name, buffer)
  local before = api.nvim_buf_get_name(buffer)
  is_naming = true
  pcall(api.nvim_buf_set_name, buffer, name)
  is_naming = false
  -- Neovim leaves a buffer of the old name behind.
  if before ~= '' then
    delete_named(before, buffer)
  end
end

--- Lets another buffer have this one's name.
---@param buffer integer
function M.unname(buffer)
  name_buffer(buffer, ('ollama-gone://%d'):format(buffer))
end

--- Has the transcript's name tell the chat's title, for `:ls` and the like.
---@param chat ollama.Chat
function M.rename(chat)
  local buffer = chats.buffer(chat, 'transcript')
  local name = buffer and buffer_name(chat, 'transcript')
  if buffer and api.nvim_buf_get_name(buffer) ~= name then
    name_buffer(buffer, name)
  end
end

--- Those that were just given a name by a person.
---@type table<integer, true>
local renamed = {}

--- Whether a buffer that is written was given its name for that, as by `:saveas`. Asked once: then it is dealt with.
---@param buffer integer
---@return boolean
function M.was_renamed(buffer)
  local was = renamed[buffer] == true
  renamed[buffer] = nil
  return was
end

--- Gives a buffer its own name back, by which it is known and kept apart from files.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param buffer integer
local function on_rename(chat, part, buffer)
  if is_naming then
    return
  end
  renamed[buffer] = true
  vim.schedule(function()
    if chat.buffers[part] == buffer and api.nvim_buf_is_valid(buffer) then
      name_buffer(buffer, buffer_name(chat, part))
    end
    if M.was_renamed(buffer) then
      require('ollama-remote.message').whisper(
        "A chat's buffer keeps its name; :Ollama rename gives the chat another"
      )
    end
  end)
end

--- Keeps what a buffer holds that someone unloads or wipes; the chat is to have another in its place.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param buffer integer
local function lose(chat, part, buffer)
  if chat.buffers[part] ~= buffer then
    return
  end
  require('ollama-remote.ui').keep_views(chat)
  if part == 'prompt' then
    chat.rescued = api.nvim_buf_get_lines(buffer, 0, -1, false)
  end
  chat.buffers[part] = nil
end

--- `:edit` without a name reads a file again. Here it has emptied the buffer, so the chat gets a new one in its window.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@param buffer integer
local function on_read(chat, part, buffer)
  vim.schedule(function()
    if api.nvim_buf_is_valid(buffer) and chats.get(chat.id) and not chat.buffers[part] then
      require('ollama-remote.ui.guard').renew(chat, part, buffer)
    end
  end)
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@return integer
local function new_buffer(chat, part)
  local buffer = api.nvim_create_buf(false, true)
  chat.buffers[part] = buffer
  name_buffer(buffer, buffer_name(chat, part))
  local options = vim.tbl_extend('force', {
    buftype = 'acwrite',
    bufhidden = 'hide',
    swapfile = false,
    modeline = false,
  }, BUFFER_OPTIONS[part])
  for option, value in pairs(options) do
    api.nvim_set_option_value(option, value, { buf = buffer })
  end
  api.nvim_create_autocmd('BufEnter', {
    group = group,
    buffer = buffer,
    callback = function()
      chats.select(chat)
      require('ollama-remote.chat.events').status_changed()
    end,
  })
  api.nvim_create_autocmd('BufUnload', {
    group = group,
    buffer = buffer,
    callback = function()
      lose(chat, part, buffer)
    end,
  })
  api.nvim_create_autocmd('BufFilePost', {
    group = group,
    buffer = buffer,
    callback = function()
      on_rename(chat, part, buffer)
    end,
  })
  api.nvim_create_autocmd('BufReadCmd', {
    group = group,
    buffer = buffer,
    callback = function()
      on_read(chat, part, buffer)
    end,
  })
  require('ollama-remote.saved.write').attach(chat, part, buffer)
  -- Before the filetype, so that a FileType autocommand of the user's has the last word.
  require('ollama-remote.keys').apply(buffer, chat.read_only and 'viewer' or part)
  return buffer
end

--- Sets the filetypes of new buffers, which may load a dozen of scripts: the windows do not wait for it.
---@param chat ollama.Chat
function M.set_filetypes(chat)
  vim.treesitter.language.register('markdown', 'ollama-chat')
  for part, filetype in pairs({ prompt = 'markdown', transcript = 'ollama-chat' }) do
    local buffer = chats.buffer(chat, part)
    if buffer and vim.bo[buffer].filetype == '' then
      vim.bo[buffer].filetype = filetype
      vim.bo[buffer].modeline = false
    end
  end
end

---@param chat ollama.Chat
---@param buffer integer
local function watch_prompt(chat, buffer)
  require('ollama-remote.chat.draft').watch(chat, buffer)
  api.nvim_create_autocmd({ 'TextChanged', 'TextChangedI', 'TextChangedP' }, {
    group = group,
    buffer = buffer,
    callback = function()
      require('ollama-remote.ui.layout').fit_prompt(chat)
      require('ollama-remote.link').prompt_begun(chat)
    end,
  })
  api.nvim_create_autocmd('InsertEnter', {
    group = group,
    buffer = buffer,
    callback = function()
      require('ollama-remote.link').prompt_begun(chat)
    end,
  })
end

--- Makes the one buffer of a chat that is only read.
---@param chat ollama.Chat
---@return integer
function M.open_viewer(chat)
  return new_buffer(chat, 'transcript')
end

--- Makes the buffers that are missing. A new transcript is empty: the host is asked for it again.
---@param chat ollama.Chat
function M.ensure(chat)
  if not chats.buffer(chat, 'transcript') then
    new_buffer(chat, 'transcript')
    chat.awaited, chat.drawing = chat.views.transcript, nil
    chat.known, chat.partial, chat.outline = false, false, chats.empty_outline()
  end
  if not chats.buffer(chat, 'prompt') then
    local buffer = new_buffer(chat, 'prompt')
    require('ollama-remote.chat.prompt').unrecorded(buffer, function()
      api.nvim_buf_set_lines(buffer, 0, -1, false, chat.rescued or {})
    end)
    chat.rescued = nil
    watch_prompt(chat, buffer)
  end
end

--- Forgets the chat's buffers with all that is in them.
---@param chat ollama.Chat
function M.wipe(chat)
  for _, part in ipairs({ 'prompt', 'transcript' }) do
    local buffer = chats.buffer(chat, part)
    chat.buffers[part] = nil
    if buffer then
      api.nvim_buf_delete(buffer, { force = true })
    end
  end
end

return M
