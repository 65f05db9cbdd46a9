-- The end of a chat: what is asked before it, and what becomes of it when it could not be saved. A viewer's end is viewer.lua's.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

--- What could not be saved goes on: nothing written is lost. What the host wrote meanwhile found no chat, so all of it is
--- written anew.
---@param chat ollama.Chat
---@param failure ollama.Error
local function go_on(chat, failure)
  chats.take_back(chat)
  chat.stuck = true
  require('ollama-remote.ui').show(chat)
  session.refresh(chat)
  message.tell(failure)
  if chat.known then
    chat.known = false
    session.when_known(chat, message.tell)
  end
end

--- Stops what runs, which the end would do by itself: but should the chat go on, the prompt that was taken back by it
--- belongs to its author.
---@param chat ollama.Chat
local function stop(chat)
  rpc.request('chat.stop', { chat = chat.id, all = true }, function(_, stopped)
    if stopped and stopped.taken and chats.buffer(chat, 'prompt') then
      require('ollama-remote.chat.prompt').give_back(chat, { text = stopped.taken })
    end
  end)
end

--- Ends the chat; by itself the host saves it first, unless that is off.
---@param chat ollama.Chat
---@param unsaved? 'save'|'discard' what a person wants of what is in no file
---@param on_end? fun() called when it has ended; not when it goes on
local function finish(chat, unsaved, on_end)
  local unsent = unsaved ~= 'discard' and require('ollama-remote.chat.prompt').has_words(chat)
  local running = chat.state.phase ~= 'idle' or #chat.pending > 0
  local state = vim.tbl_extend('force', chat.state, {
    phase = 'idle',
    queued = 0,
    ended = running and 'stopped' or chat.state.ended,
  })
  state.waiting = nil
  session.set_state(chat, state)
  require('ollama-remote.ui').hide(chat)
  chats.forget(chat)
  vim.tbl_map(require('ollama-remote.ui.winbar').refresh, chats.living())
  require('ollama-remote.chat.events').status_changed()
  local wipe = require('ollama-remote.chat.buffers').wipe
  if not chat.known and not chat.key then
    return wipe(chat)
  end
  -- What an earlier host has written down of it would else be left over.
  session.when_known(chat, function(unknown)
    if unknown then
      local what = unsent and go_on or wipe
      return what(chat, unknown)
    end
    if unsent then
      require('ollama-remote.chat.draft').tell(chat)
    end
    if running then
      stop(chat)
    end
    rpc.request('chat.close', { chat = chat.id, unsaved = unsaved }, function(failure)
      if failure and failure.code ~= 'HOST_EXITED' then
        return go_on(chat, failure)
      end
      wipe(chat)
      if on_end then
        on_end()
      end
    end)
  end)
end

---@param chat ollama.Chat
local function ask(chat)
  local save = require('ollama-remote.saved.save')
  local function when_there(run)
    return function()
      if chats.get(chat.id) then
        run()
      end
    end
  end
  local save_first = when_there(function()
    save.save(chat, nil, function()
      finish(chat, 'save')
    end)
  end)
  local lose = when_there(function()
    finish(chat, 'discard')
  end)
  local name = save.name_of(chat)
  require('ollama-remote.question').put(
    ('"%s" is not saved. End it?'):format(name ~= '' and name or 'The chat'),
    {
      { text = 'No, let it go on' },
      { text = 'Yes, save it and end it', run = save_first },
      { text = 'Yes, end it and lose what is not saved', run = lose },
    }
  )
end

--- Whether nothing was ever said, written or begun in it.
---@param chat ollama.Chat
---@return boolean
function M.is_blank(chat)
  return #chat.outline.turns == 0
    and chat.state.phase == 'idle'
    and #chat.pending == 0
    and not (chat.recovers or chat.state.file or chat.state.title)
    and not require('ollama-remote.chat.prompt').has_words(chat)
    and require('ollama-remote.transcript').text(chat):find('%S') == nil
end

--- Ends a chat whose place another one took before anything stood in it: nobody would look for it.
---@param chat? ollama.Chat
function M.drop_blank(chat)
  if chat and chat.known and chats.get(chat.id) and M.is_blank(chat) then
    finish(chat)
  end
end

--- Says what was ended where that is not seen, and that others go on where they are not.
---@param name string
---@param was_shown boolean
local function tell(name, was_shown)
  local others = #chats.living()
  if was_shown and others == 0 then
    return
  end
  local what = name ~= '' and ('"%s"'):format(name) or 'A new chat'
  local rest = others > 0 and ('; %d more: :Ollama chats'):format(others) or ''
  message.whisper(what .. ' is ended' .. rest)
end

--- Ends a chat with all of it in its file, for something to be done with that.
---@param chat ollama.Chat
---@param on_end fun() called when it has ended; not when it could not be saved and goes on
function M.end_saved(chat, on_end)
  finish(chat, 'save', on_end)
end

--- Ends the chat that is meant. It asks only where something is unsaved that nobody saves by himself.
function M.close()
  local chat = chats.current()
  if not chat then
    return message.whisper('No chat is open')
  end
  if chat.read_only then
    return require('ollama-remote.saved.viewer').close(chat)
  end
  if require('ollama-remote.saved.save').would_lose(chat) then
    return ask(chat)
  end
  local was_shown = require('ollama-remote.ui').is_shown(chat)
  local name = require('ollama-remote.saved.save').name_of(chat)
  finish(chat)
  tell(name, was_shown)
end

return M
