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
---@field model? string
---@field ended? 'done'|'stopped'|'failed'|'interrupted'
---@field error? ollama.Error
---@field queued integer
---@field rate? number

---@class ollama.Pending a prompt that the host has not yet taken over
---@field text string
---@field replaces? integer
---@field posted? boolean the host was asked to take it
---@field taken_back? boolean it was given back before that

---@class ollama.Editing
---@field turn integer
---@field draft string[] what stood in the prompt before

---@class ollama.Turn
---@field row integer 0-based row of the heading
---@field role 'user'|'model'|'system'
---@field name string

---@class ollama.Outline what decoration knows of the transcript
---@field turns ollama.Turn[]
---@field thinking? integer row of a thinking that has not ended
---@field folds integer[][] first and last row, 0-based

---@class ollama.Chat
---@field id integer
---@field buffers { transcript?: integer, prompt?: integer }
---@field windows { transcript?: integer, prompt?: integer }
---@field origin? integer the window from which the chat was opened
---@field views table<string, table> where each window was scrolled to when it was last closed
---@field state ollama.State
---@field pending ollama.Pending[]
---@field known boolean whether the running host knows the chat
---@field editing? ollama.Editing
---@field outline ollama.Outline
---@field partial boolean whether the transcript's last line of text lacks its newline
---@field phase_rows? integer how many rows the phase and the waiting prompts take
---@field since? integer when the running request began, in milliseconds of vim.uv.now()

---@type ollama.Chat?
local current = nil
local last_id = 0

---@return ollama.Outline
function M.empty_outline()
  return { turns = {}, folds = {} }
end

---@return ollama.Chat
local function new()
  last_id = last_id + 1
  return {
    id = last_id,
    buffers = {},
    windows = {},
    views = {},
    state = { phase = 'idle', queued = 0 },
    pending = {},
    known = false,
    outline = M.empty_outline(),
    partial = false,
  }
end

--- The chat that keys and commands mean; nil before the first.
---@return ollama.Chat?
function M.current()
  return current
end

---@return ollama.Chat
function M.current_or_new()
  current = current or new()
  return current
end

---@param id integer
---@return ollama.Chat?
function M.get(id)
  return current and current.id == id and current or nil
end

--- The chat that a buffer belongs to, and which of its buffers it is.
---@param buffer integer
---@return ollama.Chat? chat
---@return 'transcript'|'prompt'|nil
function M.of_buffer(buffer)
  for part, number in pairs(current and current.buffers or {}) do
    if number == buffer then
      return current, part
    end
  end
end

---@return ollama.Chat[]
function M.all()
  return current and { current } or {}
end

---@param chat ollama.Chat
function M.forget(chat)
  if current == chat then
    current = nil
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
