-- How the models of all servers look as text: a section for each server, in columns that fit a width. Pure: no buffer here.
-- What stands in a cell is manager/cells.lua's, around the rows manager/sections.lua's, under a model manager/pull.lua's.
local M = {}

local columns = require('ollama-remote.columns')
local cells = require('ollama-remote.manager.cells')
local pulls = require('ollama-remote.manager.pull')
local sections = require('ollama-remote.manager.sections')

---@class ollama.ServerModels see `ServerModels` in src/rpc/shapes.ts
---@field server string
---@field state string
---@field is_direct? boolean
---@field retry_at? number
---@field version? string
---@field models ollama.ModelRow[]
---@field read? number
---@field error? ollama.Error

---@class ollama.ManagerLine
---@field text string
---@field marks { [1]: integer, [2]: integer, [3]: string }[] first and last byte column, and highlight
---@field server? string
---@field model? ollama.ModelRow

---@class ollama.ManagerView what of it is shown
---@field width integer
---@field now number milliseconds since the epoch
---@field default_model? string
---@field sort? string
---@field filter? string
---@field marked table<string, boolean> by ref
---@field busy table<string, string> by ref

local GAP = '  '
local INDENT = '    '
--- Columns go until names of so many cells are whole; where that does not help, names of fewer are enough for them to stay.
local MOST_NAME, ENOUGH_OF_NAME = 64, 36

local TITLES = {
  name = 'MODEL',
  size = 'SIZE',
  parameters = 'PARAM',
  quantization = 'QUANT',
  family = 'FAMILY',
  abilities = 'CAN',
  context = 'CONTEXT',
  digest = 'DIGEST',
  age = 'AGE',
  loaded = 'LOADED',
  short_loaded = 'LOADED',
  update = 'UPDATE',
  short_update = 'UPDATE',
}

local AT_RIGHT = { size = true, parameters = true, age = true, context = true }

--- The columns in the order in which they go when the width does not hold them. A digest is for comparing, the family is in the
--- name mostly, the age matters less than the update that it hints at; then what a name often says, and <CR> always. What is
--- in memory and what is out of date is what one comes for: they are only said shorter.
---@type string[][] the fullest first
local LAYOUTS = {}
do
  local all = {
    'name',
    'size',
    'parameters',
    'quantization',
    'family',
    'abilities',
    'context',
    'digest',
    'age',
    'loaded',
    'update',
  }
  LAYOUTS[1] = all
  local SHORTER = { loaded = 'short_loaded', update = 'short_update' }
  for _, gone in ipairs({
    'digest',
    'family',
    'age',
    'loaded',
    'quantization',
    'parameters',
    'update',
    'context',
    'abilities',
    'size',
  }) do
    local fewer = {}
    for _, column in ipairs(LAYOUTS[#LAYOUTS]) do
      fewer[#fewer + 1] = column ~= gone and column or SHORTER[gone]
    end
    LAYOUTS[#LAYOUTS + 1] = fewer
  end
end

--- How rows can be sorted, in the order of their key; each needs its column's title to show it.
M.SORTS = { 'name', 'size', 'age', 'loaded', 'update' }

---@param model ollama.ModelRow
---@param sort string
---@return number
local function weight(model, sort)
  if sort == 'size' then
    return -(model.size or -1)
  elseif sort == 'age' then
    return -(model.modified or 0)
  elseif sort == 'loaded' then
    return model.loaded and -(model.loaded.size or 1) or 1
  elseif sort == 'update' then
    local order = { available = 0, checking = 1, unknown = 2 }
    return model.update and (order[model.update.state] or 3) or 4
  end
  return 0
end

--- Of a server's rows those that are wanted, in the order that is wanted.
---@param models ollama.ModelRow[]
---@param view ollama.ManagerView
---@return ollama.ModelRow[]
function M.wanted(models, view)
  local found = vim.tbl_filter(function(model)
    return not view.filter or model.name:lower():find(view.filter:lower(), 1, true) ~= nil
  end, models)
  local sort = view.sort
  if sort then
    table.sort(found, function(a, b)
      local one, other = weight(a, sort), weight(b, sort)
      if one ~= other then
        return one < other
      end
      return a.name < b.name
    end)
  end
  return found
end

---@param column string
---@param view ollama.ManagerView
---@return boolean
local function is_sorted(column, view)
  return view.sort ~= nil and TITLES[column] == TITLES[view.sort]
end

--- How wide each column would be.
---@param rows table<string, string>[]
---@param view ollama.ManagerView
---@return table<string, integer>
local function natural_widths(rows, view)
  local widths = {}
  for column, title in pairs(TITLES) do
    local most = 0
    for _, row in ipairs(rows) do
      most = math.max(most, columns.width(row[column]))
    end
    -- A column that nothing stands in needs no title.
    local least = #title + (is_sorted(column, view) and 1 or 0)
    widths[column] = most == 0 and 0 or math.max(most, least)
  end
  return widths
end

--- What a layout leaves for the names.
---@param layout string[]
---@param widths table<string, integer>
---@param width integer
---@return integer
local function room_for_names(layout, widths, width)
  local room = width - 3
  for _, column in ipairs(layout) do
    if column ~= 'name' and widths[column] > 0 then
      room = room - widths[column] - #GAP
    end
  end
  return room
end

--- The fullest layout in which names are whole, or have enough: they are what one looks for.
---@param rows table<string, string>[]
---@param view ollama.ManagerView
---@return string[] layout
---@return table<string, integer> widths
local function fit(rows, view)
  local widths = natural_widths(rows, view)
  local natural = widths.name
  for _, claim in ipairs({ MOST_NAME, ENOUGH_OF_NAME }) do
    for index = 1, #LAYOUTS - 1 do
      local room = room_for_names(LAYOUTS[index], widths, view.width)
      if room >= math.min(natural, claim) then
        widths.name = math.min(natural, room)
        return LAYOUTS[index], widths
      end
    end
  end
  local last = LAYOUTS[#LAYOUTS]
  widths.name = math.max(1, math.min(natural, room_for_names(last, widths, view.width)))
  return last, widths
end

--- Text and byte columns of each cell.
---@param row table<string, string>
---@param layout string[]
---@param widths table<string, integer>
---@return string text
---@return table<string, integer[]> spans
local function join(row, layout, widths)
  local text, spans = '', {}
  for _, column in ipairs(layout) do
    if widths[column] > 0 then
      local cut = column == 'name' and cells.shortened or columns.cut
      local cell = columns.pad(cut(row[column], widths[column]), widths[column], AT_RIGHT[column])
      local from = #text + (text == '' and 0 or #GAP)
      text = text == '' and cell or text .. GAP .. cell
      spans[column] = { from, #text }
    end
  end
  return (text:gsub('%s+$', '')), spans
end

---@param layout string[]
---@param widths table<string, integer>
---@param view ollama.ManagerView
---@return ollama.ManagerLine
local function title_line(layout, widths, view)
  local titles = {}
  for _, column in ipairs(layout) do
    titles[column] = TITLES[column] .. (is_sorted(column, view) and '▾' or '')
  end
  local text = '   ' .. join(titles, layout, widths)
  return { text = text, marks = { { 0, #text, 'OllamaRemoteDim' } } }
end

---@param model ollama.ModelRow
---@param row { layout: string[], widths: table<string, integer>, cells: table<string, string> }
---@param view ollama.ManagerView
---@return ollama.ManagerLine
local function model_line(model, row, view)
  local is_marked = view.marked[model.ref]
  local glyph = (is_marked and '+' or ' ') .. (model.loaded and '●' or ' ') .. ' '
  local text, spans = join(row.cells, row.layout, row.widths)
  local marks = { { 0, #glyph, is_marked and 'OllamaRemoteNote' or 'OllamaRemoteReady' } }
  local function mark(column, group)
    local span = spans[column]
    local from, to = span and span[1] + #glyph or 0, span and math.min(span[2], #text) + #glyph or 0
    if from < to then
      marks[#marks + 1] = { from, to, group }
    end
  end
  mark('name', 'OllamaRemoteServer')
  for _, column in ipairs({ 'parameters', 'quantization', 'family', 'digest', 'age' }) do
    mark(column, 'OllamaRemoteDim')
  end
  local update = model.update and cells.UPDATES[model.update.state]
  mark('update', update and update[2] or 'OllamaRemoteDim')
  mark('short_update', update and update[2] or 'OllamaRemoteDim')
  mark('loaded', 'OllamaRemoteReady')
  mark('short_loaded', 'OllamaRemoteReady')
  return { text = glyph .. text, marks = marks, server = model.server, model = model }
end

---@param servers ollama.ServerModels[]
---@return table<string, boolean>
local function abilities_of(servers)
  local used = {}
  for _, server in ipairs(servers) do
    for _, model in ipairs(server.models) do
      for _, capability in ipairs(model.capabilities or {}) do
        used[capability] = true
      end
    end
  end
  return used
end

---@param servers ollama.ServerModels[]
---@param view ollama.ManagerView
---@return ollama.ManagerLine[]
function M.lines(servers, view)
  local used = abilities_of(servers)
  local about = {
    now = view.now,
    used = used,
    default_model = view.default_model,
    busy = view.busy,
  }
  local wanted, rows, all = {}, {}, {}
  for _, server in ipairs(servers) do
    wanted[server.server] = M.wanted(server.models, view)
    for _, model in ipairs(wanted[server.server]) do
      rows[model.ref] = cells.of(model, about)
      all[#all + 1] = rows[model.ref]
    end
  end
  local lines = {}
  local layout, widths = fit(all, view)
  if #all > 0 then
    lines[1] = title_line(layout, widths, view)
  end
  for _, server in ipairs(servers) do
    vim.list_extend(lines, sections.head(server, #wanted[server.server], view))
    for _, model in ipairs(wanted[server.server]) do
      local row = { layout = layout, widths = widths, cells = rows[model.ref] }
      lines[#lines + 1] = model_line(model, row, view)
      for _, line in ipairs(model.pull and pulls.lines(model.pull, view.width - #INDENT - 1) or {}) do
        local text = INDENT .. line.text
        local marks = { { #INDENT, #text, line.group } }
        lines[#lines + 1] = { text = text, marks = marks, server = model.server, model = model }
      end
    end
    vim.list_extend(lines, sections.reasons(wanted[server.server], view))
  end
  local shown = vim.list_contains(layout, 'abilities') and used or {}
  vim.list_extend(lines, #all > 0 and sections.legend(shown, view) or {})
  return lines
end

return M
