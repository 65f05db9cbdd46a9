-- The lines of a list: cells in aligned columns, each row one line whatever it holds. What is shown with them is not here.
local M = {}

---@class ollama.Row
---@field index integer counts the rows of a list from 1; none is used twice, also when the list is asked again
---@field item any
---@field line string what is shown: one line without control characters
---@field text string what is matched, of the same kind

--- One line without control characters: what a model or a person named something must not move a terminal's cursor.
---@param text string
---@return string
function M.plain(text)
  return (text:gsub('\194[\128-\159]', ' '):gsub('%c+', ' '))
end

---@param text string
---@return integer
local function width_of(text)
  -- Many thousand cells are measured, and a call into Vim for each would be felt.
  return text:find('[\128-\255]') and vim.fn.strdisplaywidth(text) or #text
end

---@param text string
---@param width integer
---@return string of at most that width
local function cut(text, width)
  if width_of(text) <= width then
    return text
  end
  local characters = width - 1
  local short = vim.fn.strcharpart(text, 0, characters)
  while width_of(short) > width - 1 and characters > 0 do
    characters = characters - 1
    short = vim.fn.strcharpart(text, 0, characters)
  end
  return short .. '…'
end

---@param cells string[]
---@param widths integer[]
---@param right table<integer, boolean>
---@return string
local function line_of(cells, widths, right)
  if #cells == 1 then
    return cells[1]
  end
  local padded = {}
  for column, cell in ipairs(cells) do
    local space = (' '):rep(widths[column] - width_of(cell))
    padded[column] = right[column] and space .. cell or cell .. space
  end
  return (table.concat(padded, '  '):gsub('%s+$', ''))
end

---@class ollama.RowLayout
---@field columns fun(item: any): string[] one cell alone takes the whole line
---@field right? table<integer, boolean> columns that are aligned at their right
---@field widths? table<integer, integer> columns of a fixed width, in which longer cells are cut
---@field text? fun(item: any): string what is matched, where that is more than what is shown

--- Makes rows of items as they come. A column is as wide as the widest cell so far, unless its width is fixed.
---@param layout ollama.RowLayout
---@return fun(items: any[]): ollama.Row[]
function M.maker(layout)
  local widths, fixed, count = {}, layout.widths or {}, 0
  ---@param item any
  local function cells_of(item)
    local cells = layout.columns(item)
    for column, cell in ipairs(cells) do
      local plain = M.plain(cell)
      local is_cut = fixed[column] and #cells > 1
      cells[column] = is_cut and cut(plain, fixed[column]) or plain
      if #cells > 1 then
        widths[column] = fixed[column] or math.max(widths[column] or 0, width_of(cells[column]))
      end
    end
    return cells
  end
  return function(items)
    local table_of_cells = vim.tbl_map(cells_of, items)
    local rows = {}
    for number, item in ipairs(items) do
      count = count + 1
      local line = line_of(table_of_cells[number], widths, layout.right or {})
      local text = layout.text and M.plain(layout.text(item)) or line
      rows[number] = { index = count, item = item, line = line, text = text }
    end
    return rows
  end
end

return M
