-- The fenced code blocks of a Markdown text. Pure: lines come in, indices and lines go out.
local M = {}

---@class ollama.Fence
---@field first integer index of the opening line
---@field last integer index of the closing line, or one past the text when there is none
---@field indent string

---@param line string
---@return string? indent
---@return string? fence
local function opening(line)
  local indent, fence, info = line:match('^(%s*)(```+)(.*)$')
  if fence and not info:find('`', 1, true) then
    return indent, fence
  end
  return line:match('^(%s*)(~~~+)')
end

---@param line string
---@param fence string
---@return boolean
local function closes(line, fence)
  local mark = line:match('^%s*([`~]+)%s*$')
  return mark ~= nil and #mark >= #fence and mark:gsub(fence:sub(1, 1), '') == ''
end

--- All blocks, in order. One that is open at the end counts up to the end.
---@param lines string[]
---@return ollama.Fence[]
function M.all(lines)
  local found, fence = {}, nil
  for index, line in ipairs(lines) do
    if fence then
      if closes(line, fence) then
        found[#found].last, fence = index, nil
      end
    else
      local indent, mark = opening(line)
      if mark then
        fence = mark
        found[#found + 1] = { first = index, last = #lines + 1, indent = indent }
      end
    end
  end
  return found
end

--- The code, without the indentation of its fence.
---@param lines string[]
---@param fence ollama.Fence
---@return string[]
function M.inside(lines, fence)
  return vim.tbl_map(function(line)
    return vim.startswith(line, fence.indent) and line:sub(#fence.indent + 1) or line
  end, vim.list_slice(lines, fence.first + 1, fence.last - 1))
end

--- The block that a line is in.
---@param fences ollama.Fence[]
---@param index integer
---@return ollama.Fence?
function M.around(fences, index)
  return vim.iter(fences):find(function(fence)
    return fence.first <= index and index <= fence.last
  end)
end

--- The block that a line is in, or else the nearest one above.
---@param fences ollama.Fence[]
---@param index integer
---@return ollama.Fence?
function M.at_or_above(fences, index)
  local best
  for _, fence in ipairs(fences) do
    best = fence.first <= index and fence or best
  end
  return best
end

--- What the opening line says: ` ```lua lua/x.lua:3-5 ` gives `lua lua/x.lua:3-5`; nil when the line opens no block.
---@param line string
---@return string?
function M.info(line)
  local indent, mark = opening(line)
  return mark and vim.trim(line:sub(#indent + #mark + 1)) or nil
end

return M
