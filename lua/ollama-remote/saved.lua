-- What a person does with saved chats: load, find, rename, remove, bring back. The lists themselves are shelf.lua's.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')

--- How long the trash keeps what was cleared.
local KEPT_DAYS = 7

---@param count integer
---@return string
local function so_many(count)
  return count == 1 and '1 saved chat' or ('%d saved chats'):format(count)
end

---@param method string
---@param params table
---@param callback fun(value: any)
local function request(method, params, callback)
  rpc.request(method, params, function(failure, value)
    if failure then
      return message.tell(failure)
    end
    callback(value)
  end)
end

--- The one saved chat of a name; where there are several, one of them is picked.
---@param name string
---@param callback fun(entry: ollama.SavedChat)
local function with_name(name, callback)
  require('ollama-remote.saved.walks').find(name, function(failure, found)
    if failure then
      return message.tell(failure)
    end
    if #found == 0 then
      local text = ('No saved chat is called "%s"\n:Ollama search %s looks into their text'):format(
        name,
        name
      )
      return message.say(text, 'error')
    end
    if #found == 1 then
      return vim.schedule(function()
        callback(found[1])
      end)
    end
    require('ollama-remote.saved.shelf').pick_of(found, callback)
  end)
end

---@param name? string
---@param title string of the list, when no name was given
---@param callback fun(entry: ollama.SavedChat)
local function with_chosen(name, title, callback)
  if name then
    return with_name(name, callback)
  end
  require('ollama-remote.saved.shelf').pick({ title = title }, callback)
end

---@param entry ollama.SavedChat
local function open(entry)
  require('ollama-remote.saved.viewer').open(entry.file, entry.match)
end

--- Opens a saved chat beside the living one, to be read.
---@param name? string
function M.load(name)
  with_chosen(name, 'Saved chats', open)
end

--- Finds saved chats by words in their name or text.
---@param words? string
function M.search(words)
  local title = 'Search the saved chats'
  if words then
    return require('ollama-remote.saved.shelf').pick({ title = title, query = words }, open)
  end
  vim.ui.input({ prompt = 'Search the saved chats for: ' }, function(given)
    if given and given:match('%S') then
      M.search(vim.trim(given))
    end
  end)
end

--- Asks for a name, where none is given, and has something done with it.
---@param name? string
---@param default string
---@param rename fun(name: string)
local function asking_name(name, default, rename)
  if name then
    return rename(name)
  end
  vim.ui.input({ prompt = 'Rename the saved chat: ', default = default }, function(given)
    if given and given:match('%S') then
      return rename(vim.trim(given))
    end
    message.whisper('Not renamed')
  end)
end

---@param renamed { file: string }
local function tell_renamed(renamed)
  message.say(('Renamed to %s'):format(renamed.file))
end

--- Renames a saved chat.
---@param entry ollama.SavedChat
---@param name? string asked for when absent
---@param on_end? fun()
function M.rename_entry(entry, name, on_end)
  asking_name(name, entry.title, function(given)
    request('saved.rename', { file = entry.file, name = given }, function(renamed)
      tell_renamed(renamed)
      if on_end then
        on_end()
      end
    end)
  end)
end

--- Renames a living chat, whose file the host may not have told of yet; one that has none is saved.
---@param chat ollama.Chat
---@param name? string
local function rename_living(chat, name)
  asking_name(name, require('ollama-remote.saved.save').name_of(chat), function(given)
    require('ollama-remote.chat.session').when_known(chat, function(failure)
      if failure then
        return message.tell(failure)
      end
      request('chat.rename', { chat = chat.id, name = given }, tell_renamed)
    end)
  end)
end

--- Renames the chat that is meant, with its file.
---@param name? string
function M.rename(name)
  local chat = chats.current()
  if chat and not chat.read_only and (chat.state.file or #chat.outline.turns > 0) then
    return rename_living(chat, name)
  end
  if chat and chat.read_only then
    return M.rename_entry({ file = chat.state.file, title = chat.state.title }, name)
  end
  with_chosen(nil, 'Rename a saved chat', function(entry)
    M.rename_entry(entry, name)
  end)
end

--- The living chat that has a file.
---@param file string
---@return ollama.Chat?
local function living_with(file)
  return vim.iter(chats.living()):find(function(chat)
    return chat.state.file == file
  end)
end

--- Moves a saved chat to the trash, when it is confirmed; one that is open here is ended before, with all of it in its file.
---@param entry ollama.SavedChat
---@param on_end? fun()
function M.delete_entry(entry, on_end)
  local function move()
    request('saved.delete', { files = { entry.file } }, function()
      message.say(('%s is in the trash'):format(entry.file))
      if on_end then
        on_end()
      end
    end)
  end
  local is_open = living_with(entry.file) ~= nil
  local title = is_open and '"%s" is open here. End it and move it to the trash?'
    or 'Move "%s" to the trash?'
  require('ollama-remote.question').confirm({
    title = title:format(entry.title),
    yes = is_open and 'end it and move it' or 'move it',
    no = 'keep it',
    loses = true,
    on_yes = function()
      local chat = living_with(entry.file)
      if not chat then
        return move()
      end
      require('ollama-remote.chat.ending').end_saved(chat, move)
    end,
  })
end

---@param name? string
function M.delete(name)
  local chat = chats.current()
  if not name and chat and chat.read_only then
    local title = require('ollama-remote.saved.save').name_of(chat)
    return M.delete_entry({ file = chat.state.file, title = title }, function()
      require('ollama-remote.saved.viewer').close(chat)
    end)
  end
  with_chosen(name, 'Move a saved chat to the trash', M.delete_entry)
end

---@param ms? number
---@return string
local function day(ms)
  return ms and os.date('%Y-%m-%d', math.floor(ms / 1000)) --[[@as string]] or 'unknown'
end

--- How many, how big and how old they are; and that what is open stays.
---@param summary { count: integer, bytes: integer, open: integer, oldest?: number, newest?: number }
---@return string
local function clearing(summary)
  local oldest, newest = day(summary.oldest), day(summary.newest)
  local stays = summary.open == 1 and '; 1 more is open and stays'
    or summary.open > 1 and ('; %d more are open and stay'):format(summary.open)
    or ''
  return ('Move %s to the trash? (%s, of %s%s)'):format(
    so_many(summary.count),
    require('ollama-remote.amounts').size(summary.bytes),
    oldest == newest and oldest or oldest .. ' to ' .. newest,
    stays
  )
end

local function clear()
  request('saved.clear', {}, function(cleared)
    message.say(
      ('%s went to the trash; :Ollama undo-clear brings them back for %d days'):format(
        so_many(cleared.count),
        KEPT_DAYS
      )
    )
  end)
end

--- Moves all saved chats to the trash, after a question.
function M.clear()
  request('saved.summary', {}, function(summary)
    if summary.count == 0 then
      local none = summary.open > 0 and 'Only open chats are saved, and they stay'
      return message.whisper(none or 'No chat is saved')
    end
    local it = summary.count == 1 and 'it' or 'them'
    local question = {
      title = clearing(summary),
      yes = 'move ' .. it,
      no = 'keep ' .. it,
      loses = true,
      on_yes = clear,
    }
    vim.schedule(function()
      require('ollama-remote.question').confirm(question)
    end)
  end)
end

--- Brings back what the last clearing moved to the trash.
function M.undo_clear()
  request('saved.restore', {}, function(restored)
    if restored.count == 0 then
      return message.whisper('Nothing to bring back')
    end
    message.say(('%s came back'):format(so_many(restored.count)))
  end)
end

return M
