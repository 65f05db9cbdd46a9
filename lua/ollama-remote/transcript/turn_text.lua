-- What of a turn's lines is its text, its thinking, its note; and that text as it was before the file's format took it up.
-- Pure: the lines come from whoever has them.
local M = {}

local grammar = require('ollama-remote.transcript.grammar')

---@alias ollama.Section 'text'|'thinking'|'note'

---@class ollama.Span indices of a section's first and last line
---@field first integer
---@field last integer

---@type table<string, ollama.Section>
local SECTIONS = { thinking = 'thinking', answer = 'text', note = 'note' }

--- Without the one blank line at either end that belongs to the format; nil when nothing stands there.
---@param lines string[]
---@param first integer
---@param last integer
---@return ollama.Span?
local function span(lines, first, last)
  first = lines[first] == '' and first + 1 or first
  last = last >= first and lines[last] == '' and last - 1 or last
  return first <= last and { first = first, last = last } or nil
end

--- The sections of a turn, whose first line is its heading. A fence that the format added to close one is not of them.
---@param lines string[]
---@return table<ollama.Section, ollama.Span>
function M.sections(lines)
  local found, closed = {}, {}
  local section, first = 'text', 2
  for index = 2, #lines + 1 do
    local line = lines[index]
    local boundary = line and line:find('◆', 1, true) and grammar.parse(line)
    if boundary or not line then
      if section then
        found[section] = span(lines, first, index - 1) or found[section]
      end
      section, first = boundary and SECTIONS[boundary.kind], index + 1
      if boundary and boundary.kind == 'footer' then
        closed = type(boundary.facts.closed) == 'table' and boundary.facts.closed or closed
      end
    end
  end
  for name, place in pairs(found) do
    if place.first < place.last and lines[place.last] == closed[name] then
      place.last = place.last - 1
    end
  end
  return found
end

--- Lines as their writer wrote them.
---@param lines string[]
---@param place ollama.Span
---@return string[]
function M.original(lines, place)
  return vim.tbl_map(grammar.unescaped, vim.list_slice(lines, place.first, place.last))
end

return M
