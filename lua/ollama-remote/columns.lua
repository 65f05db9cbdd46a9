-- Text in columns of display cells: cut, padded, wrapped. What stands in the columns of a list is its own.
local M = {}

--- Most of what stands in lists is ASCII, of which the length is known without a call of Vim's.
---@param text string
---@return integer
function M.width(text)
  return text:find('[^\32-\126]') and vim.fn.strdisplaywidth(text) or #text
end

--- As many characters from the beginning as so many cells hold, at least one.
---@param text string
---@param width integer
---@return string
local function beginning(text, width)
  local count = math.max(1, width)
  local part = vim.fn.strcharpart(text, 0, count)
  while count > 1 and M.width(part) > width do
    count = count - 1
    part = vim.fn.strcharpart(text, 0, count)
  end
  return part
end

---@param text string
---@param width integer
---@return string
function M.cut(text, width)
  if M.width(text) <= width then
    return text
  end
  return width > 1 and beginning(text, width - 1) .. '…' or '…'
end

---@param text string
---@param width integer
---@param at_right? boolean
---@return string
function M.pad(text, width, at_right)
  local blanks = (' '):rep(width - M.width(text))
  return at_right and blanks .. text or text .. blanks
end

--- The part of a word that a line holds, up to a sign that parts it where one stands in its second half.
---@param word string
---@param width integer
---@return string
local function part_of(word, width)
  local part = beginning(word, width)
  local natural = part:match('^.*[/:_%-]')
  return natural and M.width(natural) * 2 > width and natural or part
end

--- Joins pieces to lines of a width; none is broken.
---@param pieces string[]
---@param width integer
---@param separator string
---@return string[]
function M.flow(pieces, width, separator)
  local lines = {}
  for _, piece in ipairs(pieces) do
    local longer = #lines > 0 and lines[#lines] .. separator .. piece
    if longer and M.width(longer) <= width then
      lines[#lines] = longer
    else
      lines[#lines + 1] = piece
    end
  end
  return lines
end

--- Breaks a text into lines of a width at its blanks; a word that is longer is broken too.
---@param text string
---@param width integer
---@return string[]
function M.wrap(text, width)
  local lines = {}
  for paragraph in vim.gsplit(text, '\n', { plain = true, trimempty = true }) do
    local line = ''
    for word in paragraph:gmatch('%S+') do
      local longer = line == '' and word or line .. ' ' .. word
      if M.width(longer) > width and line ~= '' then
        lines[#lines + 1] = line
        longer = word
      end
      while M.width(longer) > width do
        local part = part_of(longer, width)
        lines[#lines + 1] = part
        longer = longer:sub(#part + 1)
      end
      line = longer
    end
    lines[#lines + 1] = line
  end
  return lines
end

return M
