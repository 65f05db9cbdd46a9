-- The chats of this Neovim as data: which there are and what belongs to each. What happens to them is in chat.lua.
local M = {}

---@class ollama.Waiting what a chat in the phase `waiting` waits for
---@field server string
---@field error ollama.Error
---@field has_answer boolean whether some of the answer has come; else the whole prompt waits
---@field next_try? integer milliseconds since the epoch

---@class ollama.State
---@field phase string
---@field waiting? ollama.Waiting
---@field title? string
---@field file? string the file it is saved in, without the folder
---@field unsaved? boolean whether it holds words that are in no file
---@field model? string
---@field ended? 'done'|'stopped'|'failed'|'interrupted'
---@field error? ollama.Error
---@field queued integer
---@field rate? number
---@field title? string
---@field named? boolean whether a person gave the title
---@field file? string that it is saved in, without the folder
---@field unsaved? boolean whether it holds words that are in no file
---@field autosave? boolean whether it is saved by itself
---@field save_fails? boolean that did not succeed the last time

---@class ollama.Pending a prompt that the host has not yet taken over
---@field text string
---@field replaces? integer ordinal of the turn that it is to stand for
---@field seen? string that turn's heading, as it was when its text was taken
---@field posted? boolean the host was asked to take it
---@field after? integer how many turns there were when it can have been taken at the earliest
---@field taken_back? boolean it was given back before that

---@class ollama.Editing
---@field turn integer
---@field seen? string its heading, unless that was not kept
---@field draft string[] what stood in the prompt before

---@class ollama.Turn
---@field row integer 0-based row of the heading
---@field role 'user'|'model'|'system'
---@field name string
---@field heading string its line
---@field key string by which it is known again when the transcript is written anew
---@field folds ollama.Fold[] what of it is folded
---@field folded_to? integer last row of its own fold, 0-based

---@class ollama.Fold
---@field first integer 0-based
---@field last integer 0-based
---@field kind 'thinking'|'footer'

---@class ollama.Outline what decoration knows of the transcript
---@field turns ollama.Turn[]
---@field loose ollama.Found[] boundaries whose heading is not there yet
---@field headings table<string, integer> how often each heading stands in it
---@field thinking? integer row of a thinking that has not ended
---@field covered integer the first turn whose fold may end before it does

---@class ollama.Chat
---@field id integer
---@field buffers { transcript?: integer, prompt?: integer }
---@field windows { transcript?: integer, prompt?: integer }
---@field origin? integer the window from which the chat was opened
---@field layout? ollama.Layout where its windows are, or last were
---@field former? ollama.Former what stood in the window that it has taken
---@field views table<string, table> where each window was scrolled to when it was last closed
---@field state ollama.State
---@field pending ollama.Pending[]
---@field known boolean whether the running host knows the chat
---@field key? string by which the next host finds what was written down of it
---@field recovers? string the key of what was left over, which it is to become
---@field drawing? ollama.Drawing while only the end of the transcript is there
---@field awaited? table the view of a transcript that is to come again, as it was; or with `look`, what brings a window to its place
---@field rescued? string[] what stood in a prompt whose buffer was wiped
---@field editing? ollama.Editing
---@field outline ollama.Outline
---@field folds? ollama.KeptFolds what was open and closed when it was last looked at
---@field partial boolean whether the transcript's last line of text lacks its newline
---@field phase_rows? integer how many rows the phase and the waiting prompts take
---@field saving? true it was given to the host to be saved
---@field written? true by the command that runs now, which has not told yet whether it leaves
---@field kept_draft? string what stood in the prompt when it was saved
---@field was_busy? true its host went while something was asked
---@field stuck? true it could not be ended without a loss
---@field taking? true it is just being taken up
---@field read_only? true it was loaded to be read: it has no prompt, and is meant only where the cursor is in it
---@field absent? ollama.Absent the pull of its model, which it waits for
---@field since? integer when the running request began, in milliseconds of vim.uv.now()

--- All that were begun and not ended, in the order of their beginning.
---@type ollama.Chat[]
local open = {}

--- The living one that was used last.
---@type ollama.Chat?
local last_used = nil
local last_id = 0

---@return ollama.Outline
function M.empty_outline()
  return { turns = {}, loose = {}, headings = {}, covered = 1 }
end

--- Begins a chat. A living one is meant from now on.
---@param read_only? true
---@return ollama.Chat
function M.new(read_only)
  last_id = last_id + 1
  local chat = {
    id = last_id,
    buffers = {},
    windows = {},
    views = {},
    state = { phase = 'idle', queued = 0 },
    pending = {},
    known = false,
    outline = M.empty_outline(),
    partial = false,
    read_only = read_only,
  }
  open[#open + 1] = chat
  M.select(chat)
  return chat
end

--- All chats, the longest open first.
---@return ollama.Chat[]
function M.all()
  return vim.list_slice(open)
end

--- Makes it the one that keys and commands mean where the cursor is in none.
---@param chat ollama.Chat
function M.select(chat)
  last_used = chat.read_only and last_used or chat
end

--- Those that can be gone on with, the longest open first.
---@return ollama.Chat[]
function M.living()
  return vim.tbl_filter(function(chat)
    return not chat.read_only
  end, open)
end

--- The chat that keys and commands mean: the one that the cursor is in, else the last used; nil before the first.
---@return ollama.Chat?
function M.current()
  return M.of_buffer(vim.api.nvim_get_current_buf()) or last_used
end

--- The living chat that is meant: that of the cursor, else the last used.
---@return ollama.Chat?
function M.current_living()
  local chat = M.current()
  return chat and not chat.read_only and chat or last_used
end

---@return ollama.Chat
function M.current_or_new()
  return M.current_living() or M.new()
end

---@param id integer
---@return ollama.Chat?
function M.get(id)
  for _, chat in ipairs(open) do
    if chat.id == id then
      return chat
    end
  end
end

---@param field 'buffers'|'windows'
---@param number integer
---@return ollama.Chat? chat
---@return 'transcript'|'prompt'|nil
local function owner(field, number)
  for _, chat in ipairs(open) do
    for part, candidate in pairs(chat[field]) do
      if candidate == number then
        return chat, part
      end
    end
  end
end

--- The chat that a buffer belongs to, and which of its buffers it is.
---@param buffer integer
---@return ollama.Chat? chat
---@return 'transcript'|'prompt'|nil
function M.of_buffer(buffer)
  return owner('buffers', buffer)
end

--- The chat that a window was opened for, and which of its windows it is.
---@param window integer
---@return ollama.Chat? chat
---@return 'transcript'|'prompt'|nil
function M.of_window(window)
  return owner('windows', window)
end

--- Takes a chat in again whose end came to nothing.
---@param chat ollama.Chat
function M.take_back(chat)
  if not M.get(chat.id) then
    open[#open + 1] = chat
  end
  M.select(chat)
end

--- Takes an ended chat out; the one begun last of those that remain is meant from now on.
---@param chat ollama.Chat
function M.forget(chat)
  open = vim.tbl_filter(function(other)
    return other ~= chat
  end, open)
  if last_used == chat then
    local living = M.living()
    last_used = living[#living]
  end
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@return integer? buffer that is still there
function M.buffer(chat, part)
  local buffer = chat.buffers[part]
  return buffer and vim.api.nvim_buf_is_valid(buffer) and buffer or nil
end

---@param chat ollama.Chat
---@param part 'transcript'|'prompt'
---@return integer? window that is still there and still shows its buffer
function M.window(chat, part)
  local window = chat.windows[part]
  local there = window and vim.api.nvim_win_is_valid(window)
  return there and vim.api.nvim_win_get_buf(window) == chat.buffers[part] and window or nil
end

return M
