-- Saving a chat in its file, by key, by command and by `:write`; and what Neovim is told of words that are in no file yet.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')
local session = require('ollama-remote.chat.session')
local transcript = require('ollama-remote.transcript')

local group = api.nvim_create_augroup('ollama-remote.saved.save', { clear = true })

--- Names that are proposed are cut after so many characters.
local NAME_CHARACTERS = 60

--- A copy is written in parts of so many lines.
local COPIED_LINES = 2000

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
  return chat.state.unsaved == true and is_by_hand(chat) and not chat.saving and not chat.read_only
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
      return session.tell(failure)
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
      return message.whisper('Not saved')
    end
    post(chat, vim.trim(name), on_saved)
  end)
end

--- Saves the chat; under a name that is asked for if a person has given none yet.
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
  if name or chat.state.named then
    return post(chat, name, on_saved)
  end
  ask_name(chat, on_saved)
end

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
local leaving = false

---@param chat ollama.Chat
---@param buffer integer
local function write(chat, buffer)
  if chat.read_only or chat.state.named or not has_words(chat) then
    return M.save(chat)
  end
  if leaving then
    return post(chat)
  end
  vim.schedule(function()
    -- `:wall` writes buffers that nobody looks at; a row of questions would be no help.
    if api.nvim_get_current_buf() == buffer then
      return M.save(chat)
    end
    post(chat)
  end)
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
  M.save(chat, event.file)
  -- Neovim has made a buffer of that name, for `#`, in which nothing ever was.
  vim.schedule(function()
    local stray = vim.fn.bufnr('^' .. vim.fn.escape(event.file, '*?[]{},\\') .. '$')
    if stray > 0 and not api.nvim_buf_is_loaded(stray) and not vim.bo[stray].buflisted then
      api.nvim_buf_delete(stray, { force = true })
    end
  end)
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
  -- Every change of the text sets 'modified' anew, an undo after the text was changed.
  api.nvim_create_autocmd('BufModifiedSet', {
    group = group,
    buffer = buffer,
    callback = function()
      M.mark(chat)
    end,
  })
  api.nvim_buf_attach(buffer, false, {
    on_lines = function()
      if chat.buffers[part] ~= buffer then
        return true
      end
      M.mark(chat)
    end,
  })
end

api.nvim_create_autocmd('QuitPre', {
  group = group,
  callback = function()
    leaving = true
    vim.schedule(function()
      leaving = false
    end)
  end,
})

return M
