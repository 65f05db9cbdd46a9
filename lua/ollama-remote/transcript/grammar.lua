-- The lines of a transcript that are not text: headings, notes, footers. Pure: the file's grammar is the host's.
local M = {}

---@class ollama.Boundary
---@field kind 'turn'|'thinking'|'answer'|'note'|'footer'
---@field role? 'user'|'model'|'system'
---@field name? string
---@field time? string as 14:02
---@field seconds? number that was thought
---@field facts? table the footer's JSON

M.TURN = '^## ◆ '

--- Undoes the host's writing of what would break a heading, as `%C2%B7`.
---@param text string
---@return string
local function decoded(text)
  return (text:gsub('%%(%x%x)', function(code)
    return string.char(tonumber(code, 16))
  end))
end

---@param rest string
---@return ollama.Boundary
local function turn(rest)
  local parts = vim.split(rest, ' · ', { plain = true })
  local role = parts[1] == 'You' and 'user' or parts[1] == 'System' and 'system' or 'model'
  local time = rest:match('%d%d%d%d%-%d%d%-%d%d[ T](%d%d:%d%d)')
  local more = vim.tbl_filter(function(part)
    return not part:match('^%d%d%d%d%-%d%d%-%d%d')
  end, vim.list_slice(parts, 2))
  table.insert(more, 1, decoded(parts[1]))
  return { kind = 'turn', role = role, name = table.concat(more, ' · '), time = time }
end

---@param rest string
---@return ollama.Boundary
local function section(rest)
  if rest:match('^thinking') then
    return { kind = 'thinking' }
  end
  if rest:match('^answer') then
    return { kind = 'answer', seconds = tonumber(rest:match('thought for ([%d.]+) s')) }
  end
  return { kind = 'note', name = decoded(rest) }
end

---@param rest string
---@return ollama.Boundary
local function footer(rest)
  local ok, facts = pcall(vim.json.decode, rest, { luanil = { object = true, array = true } })
  return { kind = 'footer', facts = ok and type(facts) == 'table' and facts or {} }
end

--- What a line is, if it is a boundary.
---@param line string
---@return ollama.Boundary?
function M.parse(line)
  local rest = line:match('^## ◆ (.*)$')
  if rest then
    return turn(rest)
  end
  rest = line:match('^### ◆ (.*)$')
  if rest then
    return section(rest)
  end
  rest = line:match('^<!%-%- ◆ (.*) %-%->%s*$')
  if rest then
    return footer(rest)
  end
end

local MARKS = { '## ◆ ', '### ◆ ', '<!-- ◆ ' }

--- What some Markdown programs take for a line's end, after which the host looks for boundaries too.
local LINE_ENDS = { '\r', '\226\128\168', '\226\128\169' }

---@param text string
---@param position integer
---@return boolean
local function is_mark(text, position)
  return vim.iter(MARKS):any(function(mark)
    return text:sub(position, position + #mark - 1) == mark
  end)
end

--- A line of text without the backslash that the host put before what looks like a boundary.
---@param line string
---@return string
function M.unescaped(line)
  if not (line:find('\\', 1, true) and line:find('◆', 1, true)) then
    return line
  end
  local slashes = #line:match('^\\*')
  if slashes > 0 and is_mark(line, slashes + 1) then
    line = line:sub(2)
  end
  for _, line_end in ipairs(LINE_ENDS) do
    local before = line
    line = line:gsub(line_end .. '\\(\\*)()', function(rest, position)
      return is_mark(before, position) and line_end .. rest or nil
    end)
  end
  return line
end

---@param ms number
---@return string
local function seconds(ms)
  return ms < 9950 and ('%.1f s'):format(ms / 1000) or ('%.0f s'):format(ms / 1000)
end

--- `0.4 s`, `12 s`, `2 min 5 s`
---@param value number of seconds
---@return string
function M.duration(value)
  if value < 0.95 then
    return ('%.1f s'):format(math.max(value, 0.1))
  end
  local whole = math.floor(value + 0.5)
  if whole < 120 then
    return ('%d s'):format(whole)
  end
  return ('%d min %d s'):format(math.floor(whole / 60), whole % 60)
end

--- How an answer ended, where that is to be told: a whole answer needs no word, a failure has its note right above.
local ENDS = { done = false, failed = false, length = 'cut off at its greatest length' }

--- The receipt that is drawn over a footer: `512 tokens · 31 t/s · first token 0.4 s`.
---@param facts table
---@return string
function M.receipt(facts)
  local tokens, ms = facts.tokens or {}, facts.ms or {}
  local parts = {}
  if tokens.answer then
    parts[#parts + 1] = ('%d token%s'):format(tokens.answer, tokens.answer == 1 and '' or 's')
  end
  if tokens.answer and (ms.answer or 0) > 0 then
    parts[#parts + 1] = ('%.0f t/s'):format(tokens.answer * 1000 / ms.answer)
  end
  if ms.first then
    parts[#parts + 1] = 'first token ' .. seconds(ms.first)
  end
  local told = ENDS[facts['end']]
  if told == nil and facts['end'] then
    told = tostring(facts['end'])
  end
  if told then
    parts[#parts + 1] = told
  end
  if #(facts.seams or {}) > 0 then
    parts[#parts + 1] = 'continued after a cut'
  end
  return table.concat(parts, ' · ')
end

return M
