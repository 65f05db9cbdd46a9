-- Saving a chat in its file, and what Neovim is told of words that are in no file yet. What `:write` does is write.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')

--- Names that are proposed are cut after so many characters.
local NAME_CHARACTERS = 60

--- Whether nobody saves it by himself: that is off, or does not succeed.
---@param chat ollama.Chat
---@return boolean
local function is_by_hand(chat)
  return not chat.state.autosave or chat.state.save_fails == true or chat.stuck == true
end

--- Whether it holds words that are in no file and that nobody saves by himself.
---@param chat ollama.Chat
---@return boolean
function M.is_unsaved(chat)
  local is_going = chat.saving or chat.written or chat.read_only
  return chat.state.unsaved == true and is_by_hand(chat) and not is_going
end

--- Whether words were written that are in no turn: in the prompt, aside of an edit, or on their way to the host.
---@param chat ollama.Chat
---@return boolean
local function has_unsent(chat)
  return #chat.pending > 0
    or chat.state.queued > 0
    or require('ollama-remote.chat.prompt').has_words(chat)
end

--- Whether its end would take words along that nobody else has: 'modified' says nothing of a draft, which is written down
--- for as long as the chat lives.
---@param chat ollama.Chat
---@return boolean
function M.would_lose(chat)
  if M.is_unsaved(chat) then
    return true
  end
  if not is_by_hand(chat) or chat.read_only or not has_unsent(chat) then
    return false
  end
  local is_kept = #chat.pending == 0
    and chat.state.queued == 0
    and chat.kept_draft == require('ollama-remote.chat.prompt').text(chat)
  return not is_kept
end

--- Keeps 'modified' honest: the transcript has it as long as words are in no file. What stands in the prompt is a draft,
--- which is written down without being saved, so the prompt never has it.
---@param chat ollama.Chat
function M.mark(chat)
  for part, buffer in pairs(chat.buffers) do
    local modified = part == 'transcript' and M.is_unsaved(chat)
    if api.nvim_buf_is_valid(buffer) and vim.bo[buffer].modified ~= modified then
      vim.bo[buffer].modified = modified
    end
  end
end

--- The lines with which the first question begins.
---@param chat ollama.Chat
---@return string[]?
local function first_question(chat)
  local buffer = chats.buffer(chat, 'transcript')
  for ordinal, turn in ipairs(buffer and chat.outline.turns or {}) do
    if turn.role == 'user' then
      local next_turn = chat.outline.turns[ordinal + 1]
      local last = math.min(turn.row + 12, next_turn and next_turn.row or math.huge)
      return api.nvim_buf_get_lines(buffer --[[@as integer]], turn.row + 1, last, false)
    end
  end
end

--- What a chat is called that has no name: by its first question, or what is being written.
---@param chat ollama.Chat
---@return string
function M.name_of(chat)
  if chat.state.title then
    return chat.state.title
  end
  local lines = first_question(chat)
  if not lines and not chat.read_only then
    lines = vim.split(require('ollama-remote.chat.prompt').text(chat), '\n', { plain = true })
  end
  local function find(pattern)
    return vim.iter(lines or {}):find(function(text)
      return text:match(pattern)
    end)
  end
  local line = find('[%w\128-\255]') or find('%S') or ''
  return vim.trim(vim.fn.strcharpart(line, 0, NAME_CHARACTERS))
end

---@param saved { file: string, turns: integer, left?: string }
---@param before? string the file that it was saved in
---@return string
local function told(saved, before)
  if saved.left then
    return ('Saved in %s\n%s stays as it is'):format(saved.file, saved.left)
  end
  if before ~= saved.file then
    return ('Saved in %s'):format(saved.file)
  end
  if saved.turns == 0 then
    return ('Saved in %s: nothing is new'):format(saved.file)
  end
  return ('Saved in %s, %d turn%s added'):format(
    saved.file,
    saved.turns,
    saved.turns == 1 and '' or 's'
  )
end

---@param chat ollama.Chat
---@param name? string
---@param on_saved? fun()
local function post(chat, name, on_saved)
  local before = chat.state.file
  -- Neovim takes a buffer that is still modified after `:wq` for one that could not be written, and stays. What comes of it is
  -- the host's: it finishes what it was asked for, also when Neovim has gone.
  chat.saving = true
  M.mark(chat)
  local draft
  local function ended(failure, saved)
    chat.saving = nil
    if not failure then
      chat.kept_draft, chat.stuck = draft, nil
    end
    session.refresh(chat)
    if failure then
      return message.tell(failure)
    end
    message.say(told(saved, before))
    if on_saved then
      on_saved()
    end
  end
  session.when_known(chat, function(failure)
    if failure then
      return ended(failure)
    end
    -- It goes into the file too.
    require('ollama-remote.chat.draft').tell(chat)
    draft = require('ollama-remote.chat.prompt').text(chat)
    rpc.request('chat.save', { chat = chat.id, name = name }, ended)
  end)
end

---@param chat ollama.Chat
---@return boolean
local function has_words(chat)
  return #chat.outline.turns > 0 or has_unsent(chat)
end

---@param chat ollama.Chat
---@param on_saved? fun()
local function ask_name(chat, on_saved)
  local options = { prompt = 'Save the chat as: ', default = M.name_of(chat) }
  vim.ui.input(options, function(name)
    if not name or not name:match('%S') then
      return message.whisper(is_by_hand(chat) and 'Not saved' or 'Not named: it is saved by itself')
    end
    post(chat, vim.trim(name), on_saved)
  end)
end

--- Whether a name is asked for before it is saved: a person has given none yet.
---@param chat ollama.Chat
---@return boolean
function M.asks_name(chat)
  return not chat.read_only and not chat.state.named and has_words(chat)
end

--- Saves the chat under the name that it has, or gets by itself.
---@param chat ollama.Chat
function M.save_unasked(chat)
  post(chat)
end

--- Saves the chat; under a name that is asked for where there is none.
---@param chat ollama.Chat?
---@param name? string
---@param on_saved? fun()
function M.save(chat, name, on_saved)
  if not chat then
    return message.whisper('No chat is open')
  end
  if chat.read_only then
    return message.whisper('It is saved already: <CR> goes on with it')
  end
  if not has_words(chat) then
    return message.whisper('Nothing to save yet')
  end
  if not name and M.asks_name(chat) then
    return ask_name(chat, on_saved)
  end
  post(chat, name, on_saved)
end

return M
