-- The host's questions to the person, one after the other: secrets without echo or trace, and choices.
local M = {}

local api = vim.api
local hold = require('ollama-remote.hold')

---@class ollama.Question
---@field question integer
---@field kind 'secret'|'choose'
---@field title string
---@field detail? string
---@field choices? string[]

--- Whoever is typing must be let finish: his next key would go into the secret.
local CALM_MS = 400
local LOOK_AGAIN_MS = 100

---@type ollama.Question[]
local waiting = {}
---@type { question: integer, float?: integer, withdrawn: boolean, inside: boolean }?
local asked = nil

local last_key = 0
local key_watch = api.nvim_create_namespace('ollama-remote.ask')

---@param watching boolean
local function watch_keys(watching)
  vim.on_key(watching and function()
    last_key = vim.uv.now()
  end or nil, key_watch)
end

---@return boolean
local function is_calm()
  local mode = api.nvim_get_mode()
  if mode.blocking or mode.mode:find('^[crt]') or mode.mode:find('^no') then
    return false
  end
  return vim.fn.getcmdwintype() == '' and vim.uv.now() - last_key >= CALM_MS
end

---@param question ollama.Question
---@return integer? window
local function open_float(question)
  local lines = question.detail and vim.split(vim.trim(question.detail), '\n', { plain = true })
    or {}
  table.insert(lines, 1, question.title)
  local widths = vim.tbl_map(vim.fn.strdisplaywidth, lines)
  local width = math.min(math.max(unpack(widths)) + 2, vim.o.columns - 4)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  api.nvim_buf_set_lines(
    buffer,
    0,
    -1,
    false,
    vim.tbl_map(function(line)
      return ' ' .. line
    end, lines)
  )
  local rows = 0
  for _, line_width in ipairs(widths) do
    rows = rows + math.ceil((line_width + 1) / width)
  end
  local ok, window = pcall(api.nvim_open_win, buffer, false, {
    relative = 'editor',
    row = 1,
    col = math.floor((vim.o.columns - width) / 2) - 1,
    width = width,
    height = math.max(1, math.min(rows, vim.o.lines - 8)),
    style = 'minimal',
    border = 'rounded',
    title = ' ollama-remote ',
    focusable = false,
    noautocmd = true,
    zindex = 250,
  })
  if not ok then
    return nil
  end
  vim.wo[window].wrap = true
  vim.cmd.redraw()
  return window
end

--- What waits until nothing is asked.
---@type fun()[]
local when_free = {}

local put_next

--- Says whether the host heard it: not of a question that it had taken back.
---@param question ollama.Question
---@param value? string
---@return boolean
local function answer(question, value)
  local current = asked
  -- By identity: another host counts its questions from 1 too.
  if not current or current.source ~= question then
    return false
  end
  asked = nil
  if current.float and api.nvim_win_is_valid(current.float) then
    api.nvim_win_close(current.float, true)
  end
  if not current.withdrawn then
    local params = { question = question.question, value = value }
    require('ollama-remote.rpc').request('question.answer', params, function(_, told)
      hold.release(told ~= nil and told.more == true)
    end)
  end
  vim.schedule(put_next)
  return not current.withdrawn
end

---@param question ollama.Question
local function put_secret(question)
  local ok, value =
    pcall(vim.fn.inputsecret, { prompt = question.title .. ': ', cancelreturn = vim.NIL })
  -- What was asked would stay in the command line.
  api.nvim_echo({ { '' } }, false, {})
  vim.cmd.redraw()
  local given = ok and value ~= vim.NIL and value or nil
  if asked and asked.source == question and asked.withdrawn then
    local words = 'The question was taken back: its connection is lost, or nobody waits for it'
    require('ollama-remote.message').say(words, 'warn')
    hold.drop()
  end
  if answer(question, given) and given then
    -- Hands that wait for our next question are free; keys that are typed anew must be done with first.
    local more = hold.keys()
    last_key = more and vim.uv.now() - CALM_MS or vim.uv.now()
    watch_keys(#waiting > 0)
  end
  vim.schedule(put_next)
end

---@param question ollama.Question
local function put_choice(question)
  local answers = vim.tbl_map(function(choice)
    return {
      text = choice,
      run = function()
        answer(question, choice)
      end,
    }
  end, question.choices or {})
  require('ollama-remote.question').show(question.title, answers, function()
    answer(question)
  end)
end

---@param question ollama.Question
local function put(question)
  local current = {
    source = question,
    question = question.question,
    float = open_float(question),
    withdrawn = false,
    inside = true,
  }
  asked = current
  if question.kind == 'secret' then
    put_secret(question)
  else
    put_choice(question)
  end
  current.inside = false
end

function put_next()
  if hold.is_on() then
    return
  end
  if #waiting == 0 then
    watch_keys(false)
  end
  if not asked and #waiting == 0 then
    local free = when_free
    when_free = {}
    for _, callback in ipairs(free) do
      callback()
    end
  end
  if asked or #waiting == 0 then
    return
  end
  if not is_calm() then
    vim.defer_fn(put_next, LOOK_AGAIN_MS)
    return
  end
  watch_keys(false)
  put(table.remove(waiting, 1))
end

--- Whether no question stands or waits.
---@return boolean
function M.is_free()
  return not asked and #waiting == 0 and not hold.is_on()
end

--- Calls back when no question stands or waits: another list would take the keys that are meant for its answer.
---@param callback fun()
function M.when_free(callback)
  when_free[#when_free + 1] = callback
  vim.schedule(put_next)
end

--- Puts a question as soon as the person's hands are free. Its answer goes as a request of its own.
---@param question ollama.Question
function M.ask(question)
  waiting[#waiting + 1] = question
  if #waiting == 1 and not asked then
    -- In insert mode somebody is likely to be in the middle of a word.
    local inserting = api.nvim_get_mode().mode:find('^i') ~= nil
    last_key = inserting and vim.uv.now() or vim.uv.now() - CALM_MS
    watch_keys(true)
    vim.schedule(put_next)
  end
end

--- Takes a question back; one that is open is closed.
---@param question integer
function M.withdraw(question)
  waiting = vim.tbl_filter(function(other)
    return other.question ~= question
  end, waiting)
  if not asked or asked.question ~= question then
    return
  end
  asked.withdrawn = true
  if asked.float and api.nvim_win_is_valid(asked.float) then
    api.nvim_win_close(asked.float, true)
  end
  if asked.inside then
    api.nvim_input('<Esc>')
  else
    asked = nil
    vim.schedule(put_next)
  end
end

-- The next host counts its questions from the beginning: what was asked for this one must not answer another.
require('ollama-remote.rpc').when_gone(function()
  waiting = {}
  if asked then
    M.withdraw(asked.question)
  end
end)

return M
