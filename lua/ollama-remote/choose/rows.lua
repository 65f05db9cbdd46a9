-- The lines of a list: cells in aligned columns, each row one line whatever it holds. What is shown with them is not here.
local M = {}

---@class ollama.Row
---@field index integer counts the rows of a list from 1; none is used twice, also when the list is asked again
---@field item any
---@field line string what is shown: one line without control characters
---@field text string what is matched, of the same kind

--- What may be no printable ASCII.
local UNPLAIN = '[%c\128-\255]'

--- One line without control characters: what a model or a person named something must not move a terminal's cursor.
---@param text string
---@return string
function M.plain(text)
  return (text:gsub('\194[\128-\159]', ' '):gsub('%c+', ' '))
end

---@class ollama.Cell
---@field text string
---@field width integer

--- Many thousand cells are made: most are plain as they are, and a call into Vim for each would be felt.
---@param text string
---@return ollama.Cell
local function cell_of(text)
  if not text:find(UNPLAIN) then
    return { text = text, width = #text }
  end
  local plain = M.plain(text)
  return { text = plain, width = vim.fn.strdisplaywidth(plain) }
end

---@param cell ollama.Cell
---@param width integer
---@return ollama.Cell of at most that width
local function cut(cell, width)
  if cell.width <= width then
    return cell
  end
  local characters = width
  local short
  repeat
    characters = characters - 1
    short = vim.fn.strcharpart(cell.text, 0, characters) .. '…'
  until vim.fn.strdisplaywidth(short) <= width or characters <= 0
  return { text = short, width = vim.fn.strdisplaywidth(short) }
end

---@param cells ollama.Cell[]
---@param widths integer[]
---@param right table<integer, boolean>
---@return string without spaces at its end
local function line_of(cells, widths, right)
  local last = #cells
  while last > 1 and cells[last].text == '' do
    last = last - 1
  end
  local padded = {}
  for column = 1, last do
    local text = cells[column].text
    if #cells > 1 and (column < last or right[column]) then
      local space = (' '):rep(widths[column] - cells[column].width)
      text = right[column] and space .. text or text .. space
    end
    padded[column] = text
  end
  return table.concat(padded, '  ')
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
  ---@return ollama.Cell[]
  local function cells_of(item)
    local cells = vim.tbl_map(cell_of, layout.columns(item))
    -- One alone takes the whole line.
    for column, cell in ipairs(#cells > 1 and cells or {}) do
      local most = fixed[column]
      cells[column] = most and cut(cell, most) or cell
      widths[column] = most or math.max(widths[column] or 0, cell.width)
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
