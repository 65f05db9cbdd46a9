-- What stands in the prompts and was not sent: the host is told of it while it is written, so that it outlives Neovim.
-- Nothing here waits, and nothing complains: what cannot be written down is the host's to tell.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

--- From a change until the host is told: what a person types in that time goes along.
local TELL_AFTER_MS = 200

--- The chats that a timer, or the host's start, will tell of.
---@type table<integer, true>
local due = {}

--- What the running host was told last, by chat: as much as shows that nothing has changed since.
---@type table<integer, string>
local told = {}

local function ignore() end

---@param lines string[]
---@return string
local function text_of(lines)
  return table.concat(lines, '\n')
end

--- Prompts that left their buffer, and that the host does not have yet.
---@param chat ollama.Chat
---@return string[]
local function unposted(chat)
  local texts = {}
  for _, pending in ipairs(chat.pending) do
    if not pending.posted then
      texts[#texts + 1] = pending.text
    end
  end
  return texts
end

---@param texts string[]
---@param last string
---@return string
local function with_texts(texts, last)
  if last:match('%S') or #texts == 0 then
    texts = vim.list_extend(vim.list_slice(texts), { last })
  end
  return table.concat(texts, '\n\n')
end

---@param chat ollama.Chat
---@return table params of chat.draft
local function draft(chat)
  local text = require('ollama-remote.chat.prompt').text(chat)
  local before = unposted(chat)
  if not chat.editing then
    return { chat = chat.id, text = with_texts(before, text) }
  end
  local aside = with_texts(before, text_of(chat.editing.draft))
  return { chat = chat.id, text = text, editing = chat.editing.turn, aside = aside }
end

--- Cheap, however long the text is; nil where there is no text. Neovim that is made to end, as by a closed terminal, has
--- emptied what is not 'modified' before it says that it leaves: then what was told last is what stood there.
---@param chat ollama.Chat
---@return string?
local function mark(chat)
  local buffer = chats.buffer(chat, 'prompt')
  if not buffer or not api.nvim_buf_is_loaded(buffer) then
    return nil
  end
  local editing = chat.editing and chat.editing.turn or 0
  return ('%d %d %d %d'):format(
    buffer,
    api.nvim_buf_get_changedtick(buffer),
    editing,
    #unposted(chat)
  )
end

--- Tells the host now, if there is something new and a host that may know the chat.
---@param chat ollama.Chat
function M.tell(chat)
  local new = mark(chat)
  -- Where no host could be started, each key would try it again.
  if chat.read_only or not new or new == told[chat.id] or not (chat.key or chat.known) then
    return
  end
  if chat.known then
    told[chat.id] = new
    return rpc.request('chat.draft', draft(chat), ignore)
  end
  session.when_known(chat, function(failure)
    if not failure and chats.get(chat.id) then
      M.tell(chat)
    end
  end)
end

--- A prompt was sent: the host takes for sent what was being written, so it is told now of what was not.
---@param chat ollama.Chat
function M.sent(chat)
  told[chat.id] = nil
  M.tell(chat)
end

--- A prompt came back, perhaps into what an edit has put aside; the host may have been told since of a draft without it.
---@param chat ollama.Chat
function M.returned(chat)
  if chat.known and rpc.is_running() then
    M.sent(chat)
  end
end

--- Has the host told soon.
---@param chat ollama.Chat
function M.changed(chat)
  if due[chat.id] then
    return
  end
  due[chat.id] = true
  vim.defer_fn(function()
    due[chat.id] = nil
    if chats.get(chat.id) then
      M.tell(chat)
    end
  end, TELL_AFTER_MS)
end

--- Follows whatever changes a prompt: keys, mappings, other plugins.
---@param chat ollama.Chat
---@param buffer integer
function M.watch(chat, buffer)
  api.nvim_buf_attach(buffer, false, {
    on_lines = function()
      if chat.buffers.prompt ~= buffer then
        return true
      end
      M.changed(chat)
    end,
  })
end

--- A host knows the chat from now on, and may have brought what was being written when an earlier Neovim went.
---@param chat ollama.Chat
---@param kept? { text: string, editing?: integer, aside?: string }
function M.opened(chat, kept)
  told[chat.id] = nil
  if kept then
    require('ollama-remote.chat.prompt').restore(chat, kept)
  end
  M.changed(chat)
end

-- What came back into the prompt by that is written down as it was; only what is typed from now on needs another host.
rpc.when_gone(function()
  for _, chat in ipairs(chats.all()) do
    told[chat.id] = mark(chat)
  end
end)

api.nvim_create_autocmd({ 'VimLeavePre', 'BufLeave', 'BufHidden', 'InsertLeave' }, {
  group = api.nvim_create_augroup('ollama-remote.chat.draft', { clear = true }),
  callback = function(event)
    for _, chat in ipairs(event.event == 'VimLeavePre' and chats.all() or {}) do
      if chat.known then
        M.tell(chat)
      end
    end
    local chat, part = chats.of_buffer(event.buf)
    if chat and part == 'prompt' and event.event ~= 'VimLeavePre' then
      M.tell(chat)
    end
  end,
})

return M
