-- The one line of phase at the transcript's end, and under it the prompts that wait. It is drawn, never text.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

local namespace = api.nvim_create_namespace('ollama-remote.transcript.phase')
local FRAMES = { '⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏' }
local TICK_MS = 200

---@type table<string, string>
M.words = {
  queued = 'queued',
  connecting = 'connecting',
  authenticating = 'authenticating',
  loading = 'loading model',
  reading = 'reading prompt',
  thinking = 'thinking',
  writing = 'writing',
  waiting = 'waiting for the server',
  resuming = 'going on with the answer',
  busy = 'the server may still be at the first answer',
}

---@type uv.uv_timer_t?
local timer = nil
local frame = 1

--- Seconds since the running request began; nil when none runs.
---@param chat ollama.Chat
---@return integer?
function M.elapsed(chat)
  return chat.since and math.floor((vim.uv.now() - chat.since) / 1000) or nil
end

---@param chat ollama.Chat
---@return boolean
local function is_busy(chat)
  return chat.state.phase ~= 'idle' or #chat.pending > 0
end

--- Seconds until the server is tried again; nil when it is being tried, or when nobody knows.
---@param waiting ollama.Waiting
---@return integer?
local function seconds_left(waiting)
  local seconds, microseconds = vim.uv.gettimeofday()
  local now = seconds * 1000 + math.floor(microseconds / 1000)
  local left = waiting.next_try and math.ceil((waiting.next_try - now) / 1000)
  return left and left > 0 and left or nil
end

--- What is said of a server that is away, and of the prompt or the answer that waits for it.
---@param waiting ollama.Waiting
---@param width integer of the transcript's window
---@return ollama.Chunks[]
local function waiting_lines(waiting, width)
  local left = seconds_left(waiting)
  local text = ('%s %s: waiting for %s%s'):format(
    FRAMES[frame],
    waiting.has_answer and 'interrupted' or 'offline',
    waiting.server,
    left and (', next try in %d s'):format(left) or ''
  )
  local lines = {}
  local wrap = require('ollama-remote.columns').wrap
  for _, line in ipairs(wrap(text, width)) do
    lines[#lines + 1] = { { line, 'OllamaRemotePhase' } }
  end
  for _, line in ipairs(wrap(waiting.error.message, width)) do
    lines[#lines + 1] = { { line, 'OllamaRemoteFailed' } }
  end
  local hint = waiting.error.code == 'API_UNAVAILABLE' and waiting.error.hint
  for _, line in ipairs(hint and wrap(hint, width) or {}) do
    lines[#lines + 1] = { { line, 'OllamaRemoteDim' } }
  end
  local ends = waiting.has_answer and 'leaves it so' or 'takes it back'
  lines[#lines + 1] = { { 'gR tries now · <C-c> ' .. ends, 'OllamaRemoteDim' } }
  return lines
end

--- The line of a phase that goes on by itself.
---@param chat ollama.Chat
---@param words string
---@return ollama.Chunks[]
local function running_lines(chat, words)
  local elapsed = M.elapsed(chat)
  local seconds = elapsed and (' · %d s'):format(elapsed) or ''
  local text = ('%s %s%s'):format(FRAMES[frame], words, seconds)
  return { { { text, 'OllamaRemotePhase' }, { ' · <C-c> stops', 'OllamaRemoteDim' } } }
end

--- The lines to draw, from the phase down to the last waiting prompt.
---@param chat ollama.Chat
---@return ollama.Chunks[]
function M.lines(chat)
  local phase = chat.state.phase
  local words = M.words[phase] or (#chat.pending > 0 and 'queued')
  local window = chats.window(chat, 'transcript')
  local width = math.max(20, (window and api.nvim_win_get_width(window) or vim.o.columns) - 2)
  if not words then
    local absent = package.loaded['ollama-remote.chat.absent']
    return absent and absent.lines(chat, width) or {}
  end
  local waiting = chat.state.waiting
  local lines = waiting and waiting_lines(waiting, width) or running_lines(chat, words)
  for index, pending in ipairs(chat.pending) do
    -- With nothing running the first one is what the phase line already speaks of.
    if index > 1 or phase ~= 'idle' then
      local first = vim.split(pending.text, '\n', { plain = true })[1]
      lines[#lines + 1] = { { 'queued: ' .. first, 'OllamaRemoteQueued' } }
    end
  end
  return lines
end

---@param buffer integer
---@param lines ollama.Chunks[]
local function draw(buffer, lines)
  if #lines == 0 then
    return api.nvim_buf_clear_namespace(buffer, namespace, 0, -1)
  end
  -- Virtual lines below a buffer's last line are out of sight at the window's end, so the last of them is the
  -- one over the line itself and all before it stand above.
  local last = table.remove(lines)
  api.nvim_buf_set_extmark(buffer, namespace, api.nvim_buf_line_count(buffer) - 1, 0, {
    id = 1,
    virt_text = last,
    virt_text_pos = 'overlay',
    virt_lines = #lines > 0 and lines or nil,
    virt_lines_above = true,
  })
end

--- Draws the phase at the transcript's end, or takes it away.
---@param chat ollama.Chat
function M.place(chat)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return
  end
  local lines = M.lines(chat)
  local rows = #lines
  draw(buffer, lines)
  -- Neovim does not scroll by itself when virtual lines push the last line out of a window.
  if rows ~= chat.phase_rows then
    chat.phase_rows = rows
    local view = require('ollama-remote.transcript.view')
    view.fill(view.followers(buffer))
  end
end

local function stop_timer()
  if timer then
    timer:stop()
    timer:close()
    timer = nil
  end
end

--- The seconds that were told last.
---@type integer?
local told_seconds = nil

--- Tells that status() reads otherwise with each second of the chat that it speaks of.
local function tell_seconds()
  local chat = chats.current()
  local seconds = chat and M.elapsed(chat)
  if seconds ~= told_seconds then
    told_seconds = seconds
    require('ollama-remote.chat.events').status_changed()
  end
end

local function tick()
  frame = frame % #FRAMES + 1
  local busy = vim.tbl_filter(is_busy, chats.all())
  if #busy == 0 then
    return stop_timer()
  end
  vim.tbl_map(M.place, busy)
  tell_seconds()
end

--- Draws what is true now, and keeps drawing while something runs.
---@param chat ollama.Chat
function M.refresh(chat)
  if is_busy(chat) then
    chat.since = chat.since or vim.uv.now()
    if not timer then
      timer = assert(vim.uv.new_timer())
      timer:start(TICK_MS, TICK_MS, vim.schedule_wrap(tick))
    end
  else
    -- The timer's next tick finds nothing to do and ends it.
    chat.since = nil
  end
  M.place(chat)
end

return M
