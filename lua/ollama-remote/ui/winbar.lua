-- The two winbars of a chat: what the model is and does, and what the prompt's keys are.
local M = {}

local chats = require('ollama-remote.chats')

local DOTS = {
  running = '%#OllamaRemoteRunning#●',
  failed = '%#OllamaRemoteFailed#●',
  idle = '%#OllamaRemoteReady#●',
  down = '%#OllamaRemoteDim#○',
  away = '%#OllamaRemoteFailed#○',
}

---@param text string
---@return string
local function plain(text)
  return (text:gsub('%%', '%%%%'))
end

---@param chat ollama.Chat
---@return string
local function dot(chat)
  local state = chat.state
  if state.phase == 'waiting' then
    return DOTS.away
  end
  if state.phase ~= 'idle' then
    return DOTS.running
  end
  if not chat.known then
    return DOTS.down
  end
  return state.ended == 'failed' and DOTS.failed or DOTS.idle
end

---@param text string
---@param width integer
---@return string as much of it as fits, with an ellipsis where it was cut
local function cut(text, width)
  if vim.fn.strdisplaywidth(text) <= width then
    return text
  end
  return width > 8 and vim.fn.strcharpart(text, 0, width - 1) .. '…' or ''
end

--- What a chat is called, whether it has unsaved words, and which of several it is.
---@param chat ollama.Chat
---@param width integer
---@return string
local function identity(chat, width)
  local living = chats.living()
  local parts = { require('ollama-remote.saved.save').is_unsaved(chat) and '[+]' or nil }
  if #living > 1 then
    for index, other in ipairs(living) do
      parts[#parts + 1] = other == chat and ('%d/%d'):format(index, #living) or nil
    end
  end
  local short = table.concat(parts, ' ')
  local title = cut(chat.state.title or '', width - #short - 2)
  return vim.trim(title .. ' ' .. short)
end

--- When a saved chat was begun, as its file's name tells.
---@param file string
---@return string
local function day_of(file)
  local year, month, day = file:match('_(%d%d%d%d)(%d%d)(%d%d)%-%d+%.%w+$')
  return year and ('%s-%s-%s'):format(year, month, day) or ''
end

--- The keys of a viewer, from the fullest to the shortest.
local READING = { '<CR> goes on with it · q closes', '<CR> goes on · q closes', '<CR> goes on' }

---@param chat ollama.Chat
---@param window integer
---@return string
local function viewer(chat, window)
  local state = chat.state
  local width = vim.api.nvim_win_get_width(window)
  local keys = READING[width >= 70 and 1 or width >= 32 and 2 or 3]
  local facts = vim.tbl_filter(function(fact)
    return fact and fact ~= ''
  end, { state.title or state.file or '', state.model or '', day_of(state.file or '') })
  local text = cut(table.concat(facts, ' · '), width - vim.fn.strdisplaywidth(keys) - 3)
  return (' %%#OllamaRemoteModel#%s%%=%%#OllamaRemoteEditing#%s '):format(plain(text), keys)
end

--- The spaces and the dot around model and facts.
local AROUND = 6
--- Which of several a chat is, and that it has unsaved words, takes so much.
local LEAST_IDENTITY = 4

--- As many of the facts as fit, the first before the last.
---@param parts string[]
---@param width integer
---@return string
local function fitted(parts, width)
  local text = table.concat(parts, ' · ')
  if #parts == 0 or vim.fn.strdisplaywidth(text) <= width then
    return text
  end
  return fitted(vim.list_slice(parts, 1, #parts - 1), width)
end

---@param chat ollama.Chat
---@param window integer
---@return string
function M.transcript(chat, window)
  if chat.read_only then
    return viewer(chat, window)
  end
  local state = chat.state
  local parts = {}
  if state.waiting then
    parts[#parts + 1] = plain(('waiting for %s'):format(state.waiting.server))
  end
  local absent = package.loaded['ollama-remote.chat.absent']
  local pulling = absent and absent.short(chat)
  if pulling then
    parts[#parts + 1] = plain(pulling)
  end
  if state.queued > 0 then
    parts[#parts + 1] = ('%d queued'):format(state.queued)
  end
  if state.rate then
    parts[#parts + 1] = ('%.0f t/s'):format(state.rate)
  end
  -- Until the host has said, nobody knows.
  local model = state.model or (chat.known and 'no model yet' or '…')
  local room = vim.api.nvim_win_get_width(window) - vim.fn.strdisplaywidth(model) - AROUND
  local middle = fitted(parts, room - LEAST_IDENTITY)
  room = room - vim.fn.strdisplaywidth(middle) - 2
  return (' %%#OllamaRemoteModel#%%<%s %s%%#OllamaRemoteDim#  %s%%=%s '):format(
    plain(model),
    dot(chat),
    middle,
    plain(identity(chat, room))
  )
end

--- From the fullest to the shortest, for windows of different widths.
local EDITING = {
  'editing turn %d · <CR> replaces it and what followed · <C-c> gives up',
  'editing turn %d · <CR> replaces · <C-c> gives up',
  'turn %d · <CR> replaces · <C-c> gives up',
}
local HINTS = {
  '<CR> send · <C-s> send in insert · g? keys',
  '<CR> send · <C-s> in insert · g? keys',
  '<CR> send · g? keys',
}

---@param variants string[]
---@param width integer
---@return string
local function fitting(variants, width)
  for _, text in ipairs(variants) do
    if vim.fn.strdisplaywidth(text) < width then
      return text
    end
  end
  return variants[#variants]
end

---@param chat ollama.Chat
---@param window integer
---@return string
function M.prompt(chat, window)
  local width = vim.api.nvim_win_get_width(window)
  if chat.editing then
    return '%#OllamaRemoteEditing# ' .. fitting(EDITING, width):format(chat.editing.turn)
  end
  return '%#OllamaRemoteDim# ' .. fitting(HINTS, width)
end

--- Writes both winbars where their windows are open.
---@param chat ollama.Chat
function M.refresh(chat)
  for _, part in ipairs({ 'transcript', 'prompt' }) do
    local window = chats.window(chat, part)
    local text = window and M[part](chat, window)
    if window and vim.wo[window].winbar ~= text then
      vim.api.nvim_set_option_value('winbar', text, { win = window, scope = 'local' })
    end
  end
end

vim.api.nvim_create_autocmd('WinResized', {
  group = vim.api.nvim_create_augroup('ollama-remote.ui.winbar', { clear = true }),
  callback = function()
    for _, window in ipairs(vim.v.event.windows) do
      local chat = chats.of_window(window)
      if chat then
        M.refresh(chat)
      end
    end
  end,
})

return M
