-- Text in columns of display cells: cut, padded, wrapped. What stands in the columns of a list is its own.
local M = {}

--- Most of what stands in lists is ASCII, of which the length is known without a call of Vim's.
---@param text string
---@return integer
function M.width(text)
  return text:find('[^\32-\126]') and vim.fn.strdisplaywidth(text) or #text
end

---@param text string
---@param width integer
---@return string
function M.cut(text, width)
  if M.width(text) <= width then
    return text
  end
  return vim.fn.strcharpart(text, 0, math.max(0, width - 1)) .. '…'
end

---@param text string
---@param width integer
---@param at_right? boolean
---@return string
function M.pad(text, width, at_right)
  local blanks = (' '):rep(width - M.width(text))
  return at_right and blanks .. text or text .. blanks
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
      if vim.fn.strdisplaywidth(longer) > width and line ~= '' then
        lines[#lines + 1] = line
        longer = word
      end
      while vim.fn.strdisplaywidth(longer) > width do
        lines[#lines + 1] = vim.fn.strcharpart(longer, 0, width)
        longer = vim.fn.strcharpart(longer, width)
      end
      line = longer
    end
    lines[#lines + 1] = line
  end
  return lines
end

return M
