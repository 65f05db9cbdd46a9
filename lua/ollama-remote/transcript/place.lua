-- The places in files that a line of text names, as `path:line:col`, and which of them is meant at a column. Pure: whether
-- there is such a file is looked up elsewhere.
local M = {}

---@class ollama.Place
---@field path string
---@field line? integer from 1
---@field column? integer from 1

--- How a line number may follow a path, the most telling first.
local SUFFIXES = {
  '^(.+):(%d+):(%d+)',
  '^(.+):(%d+)%-%d+$',
  '^(.+):(%d+)$',
  '^(.+):(%d+):',
  '^(.+)%((%d+),%s*(%d+)%):?$',
  '^(.+)%((%d+)%):?$',
  '^(.+)#L(%d+)',
  '^(.+)",? line (%d+)$',
  '^(.+),? line (%d+)$',
}

--- What a path may be put in: quotation marks, brackets, the end of a sentence.
local BEFORE = '^["\'`%(%[{<*_]+'
local AFTER = '["\'`%)%]}>*_,;.:!?]+$'

---@param text string
---@return ollama.Place[]
local function readings(text)
  local found = {}
  for _, suffix in ipairs(SUFFIXES) do
    local path, line, column = text:match(suffix)
    if path then
      path = path:gsub('["\',]+$', '')
      found[#found + 1] = { path = path, line = tonumber(line), column = tonumber(column) }
    end
  end
  found[#found + 1] = { path = text }
  return found
end

--- All ways to read a piece of text: as it stands, and without what surrounds it.
---@param text string
---@return ollama.Place[]
local function all_readings(text)
  local found = readings(text)
  local inner = text:gsub(BEFORE, '')
  for _, variant in ipairs({ inner, (inner:gsub(AFTER, '')), (text:gsub(AFTER, '')) }) do
    vim.list_extend(found, readings(variant))
  end
  return found
end

--- The captures of a pattern's match around a column. The pattern begins and ends with position captures.
---@param text string
---@param column integer from 1
---@param pattern string
---@return string? first
---@return string? second
local function match_around(text, column, pattern)
  for from, first, second, to in text:gmatch(pattern) do
    -- With one capture only, the end's position stands in its place.
    local last = to or second
    if from <= column and column < last then
      return first, to and second or nil
    end
  end
end

--- How far on either side of the cursor is looked: a line may be a megabyte of anything.
local REACH = 1000

--- What is meant at a column of a line, the likeliest first.
---@param text string
---@param column integer 0-based
---@return ollama.Place[]
function M.at(text, column)
  local info = #text <= REACH and require('ollama-remote.transcript.fences').info(text) or nil
  local from = math.max(1, column + 1 - REACH)
  text = text:sub(from, column + 1 + REACH)
  local found, here = {}, column + 2 - from
  local path, line = match_around(text, here, '()File "([^"]+)", line (%d+)()')
  if path then
    found[1] = { path = path, line = tonumber(line) }
  end
  if info then
    -- The language stands before the path, where there is one.
    vim.list_extend(found, readings((info:gsub('^%S+%s+', ''))))
    vim.list_extend(found, readings(info))
  end
  local link = match_around(text, here, '()%[[^%]]*%]%(([^%)]+)%)()')
  local code = match_around(text, here, '()`+([^`]+)`+()')
  local quoted = match_around(text, here, '()"([^"]+)"()')
  local numbered = match_around(text, here, '()(%S+%(%d+, %d+%))()')
  local word = match_around(text, here, '()(%S+)()')
  for _, piece in ipairs({ link or '', code or '', quoted or '', numbered or '', word or '' }) do
    if piece ~= '' then
      vim.list_extend(found, all_readings(vim.trim(piece)))
    end
  end
  return found
end

return M
