-- What a chat's requests are made with, as `:Ollama set` reads and tells it. What becomes of it is the host's.
local M = {}

local message = require('ollama-remote.message')

local OPTIONS = {
  'frequency_penalty',
  'min_p',
  'num_batch',
  'num_ctx',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'presence_penalty',
  'repeat_last_n',
  'repeat_penalty',
  'seed',
  'stop',
  'temperature',
  'top_k',
  'top_p',
  'typical_p',
}

local THINKS = { ['true'] = true, ['false'] = false, on = true, off = false }
for _, level in ipairs({ 'low', 'medium', 'high', 'max' }) do
  THINKS[level] = level
end

--- One word, in which spaces may stand between quotes.
---@param text string
---@return string? word
---@return string rest
local function next_word(text)
  local key, rest = text:match('^%s*([%w_]+)=(.*)$')
  if not key then
    return nil, text
  end
  local quoted, after = rest:match('^("[^"]*")(.*)$')
  if not quoted then
    quoted, after = rest:match('^(%S*)(.*)$')
  end
  return key .. '=' .. quoted, after
end

---@param value string
---@return any
local function option_value(value)
  local is_json, decoded = pcall(vim.json.decode, value)
  if is_json then
    return decoded
  end
  return value
end

--- Puts one of Ollama's options into what is asked for.
---@param params table
---@param key string
---@param value string
---@return string? wrong
local function put_option(params, key, value)
  local option = value == '' and vim.NIL or option_value(value)
  if option ~= vim.NIL and key ~= 'stop' and type(option) ~= 'number' then
    return ('%s is a number, and not "%s"'):format(key, value)
  end
  params.options = params.options or {}
  params.options[key] = option
end

--- What a name may have been meant for.
---@param name string
---@return string
local function meant(name)
  local near = vim.fn.matchfuzzy(M.names(), name)[1]
  return near and ('did you mean %s?'):format(near:sub(1, -2))
    or 'there are think, keep_alive, system and the options of Ollama'
end

---@param value string
---@return string
local function unquoted(value)
  return (value:match('^"(.*)"$') or value):gsub('\\n', '\n')
end

--- Puts one of them into what is asked for.
---@param params table
---@param key string
---@param value string
---@return string? wrong
local function put(params, key, value)
  local is_removed = value == ''
  if key == 'system' then
    params.system = is_removed and vim.NIL or unquoted(value)
  elseif key == 'keep_alive' then
    params.keep_alive = is_removed and vim.NIL or tonumber(value) or unquoted(value)
  elseif key == 'think' then
    if not is_removed and THINKS[value] == nil then
      return ('think is true, false, low, medium, high or max, and not "%s"'):format(value)
    end
    params.think = vim.NIL
    if not is_removed then
      params.think = THINKS[value]
    end
  elseif vim.list_contains(OPTIONS, key) then
    return put_option(params, key, value)
  else
    return ('Nothing is called "%s"; %s'):format(key, meant(key))
  end
end

---@param text string as it was typed
---@return table? params
---@return string? wrong
function M.parse(text)
  local params = {}
  while text:match('%S') do
    local word, rest = next_word(text)
    if not word then
      return nil,
        ('What is set to what? :Ollama set name=value, and not "%s"'):format(vim.trim(text))
    end
    local key, value = word:match('^([%w_]+)=(.*)$')
    local wrong = put(params, key, value)
    if wrong then
      return nil, wrong
    end
    text = rest
  end
  return params
end

---@param chosen table as the host tells it
---@return string
local function told(chosen)
  local parts = {}
  for name, value in pairs(chosen.options or {}) do
    parts[#parts + 1] = ('%s=%s'):format(
      name,
      type(value) == 'string' and value or vim.json.encode(value)
    )
  end
  table.sort(parts)
  for _, name in ipairs({ 'think', 'keep_alive' }) do
    if chosen[name] ~= nil then
      parts[#parts + 1] = ('%s=%s'):format(name, tostring(chosen[name]))
    end
  end
  if chosen.system then
    parts[#parts + 1] = ('system="%s"'):format(chosen.system)
  end
  return #parts == 0 and 'Nothing is set: the model and its server decide'
    or table.concat(parts, ' ')
end

--- Sets what is given for the current chat, and tells all that is set.
---@param text string
function M.set(text)
  local chat = require('ollama-remote.chats').current()
  if not chat then
    return message.whisper('No chat is open')
  end
  local params, wrong = M.parse(text)
  if not params then
    return message.say(wrong or '', 'error')
  end
  require('ollama-remote.chat.session').request(chat, 'chat.set', params, function(chosen)
    message.say(told(chosen))
  end)
end

---@return string[]
function M.names()
  local names = { 'keep_alive=', 'system=', 'think=' }
  for _, name in ipairs(OPTIONS) do
    names[#names + 1] = name .. '='
  end
  table.sort(names)
  return names
end

return M
