-- The float of the keys: one column where that fits, two where the screen is wide, else it is scrolled and says so.
local M = {}

local api = vim.api

local namespace = api.nvim_create_namespace('ollama-remote.help')

local TITLE = ' ollama-remote: keys · q closes '
local GAP = 3
--- Border, and the lines around a float that stays inside the screen.
local FRAME = { rows = 4, columns = 4 }

---@class ollama.HelpLine
---@field text string
---@field is_title boolean
---@field key_width integer bytes of its key

---@param section ollama.HelpSection
---@param width integer of the keys' column
---@return ollama.HelpLine[]
local function section_lines(section, width)
  local lines = { { text = section.title, is_title = true, key_width = 0 } }
  for _, row in ipairs(section.rows) do
    local pad = (' '):rep(math.max(1, width - vim.fn.strdisplaywidth(row.lhs)))
    local text = ('  %s%s%s'):format(row.lhs, pad, row.desc)
    lines[#lines + 1] = { text = text, is_title = false, key_width = #row.lhs + 2 }
  end
  return lines
end

---@param lines ollama.HelpLine[]
---@return integer
local function width_of(lines)
  local width = 0
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line.text))
  end
  return width
end

---@param sections ollama.HelpSection[]
---@param first integer
---@param last integer
---@return ollama.HelpLine[]
local function column(sections, first, last)
  local key_width = 11
  for index = first, last do
    for _, row in ipairs(sections[index].rows) do
      local width = vim.fn.strdisplaywidth(row.lhs)
      key_width = width < 20 and math.max(key_width, width + 1) or key_width
    end
  end
  local lines = {}
  for index = first, last do
    vim.list_extend(lines, section_lines(sections[index], key_width))
  end
  return lines
end

--- The columns that are as low as they can be without cutting a section; one when two are too wide, or are not needed.
---@param sections ollama.HelpSection[]
---@return ollama.HelpLine[][]
local function columns(sections)
  local best = { column(sections, 1, #sections) }
  if #best[1] <= vim.o.lines - FRAME.rows then
    return best
  end
  local height = #best[1]
  for cut = 1, #sections - 1 do
    local left, right = column(sections, 1, cut), column(sections, cut + 1, #sections)
    local width = width_of(left) + GAP + width_of(right)
    if width <= vim.o.columns - FRAME.columns and math.max(#left, #right) < height then
      best, height = { left, right }, math.max(#left, #right)
    end
  end
  return best
end

---@param buffer integer
---@param row integer
---@param start integer
---@param line ollama.HelpLine
local function colour(buffer, row, start, line)
  local group = line.is_title and 'OllamaRemoteModel' or 'OllamaRemoteServer'
  local length = line.is_title and #line.text or line.key_width
  api.nvim_buf_set_extmark(buffer, namespace, row, start, {
    end_col = start + length,
    hl_group = group,
  })
end

---@param sides ollama.HelpLine[][]
---@return integer buffer
---@return integer width
---@return integer height
local function fill(sides)
  local left, right = sides[1], sides[2] or {}
  local left_width = width_of(left)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  local height = math.max(#left, #right)
  for row = 1, height do
    local text = left[row] and left[row].text or ''
    local pad = (' '):rep(left_width - vim.fn.strdisplaywidth(text) + GAP)
    local start = #text + #pad
    local whole = right[row] and text .. pad .. right[row].text or text
    api.nvim_buf_set_lines(buffer, row - 1, row, false, { whole })
    if left[row] then
      colour(buffer, row - 1, 0, left[row])
    end
    if right[row] then
      colour(buffer, row - 1, start, right[row])
    end
  end
  vim.bo[buffer].modifiable = false
  return buffer, left_width + (#right > 0 and GAP + width_of(right) or 0), height
end

--- Tells in the border how much is out of sight.
---@param window integer
local function tell_rest(window)
  local info = vim.fn.getwininfo(window)[1]
  if not info then
    return
  end
  local below = api.nvim_buf_line_count(info.bufnr) - info.botline
  local above = info.topline - 1
  local hint = below > 0 and (' %d more below · j '):format(below)
    or above > 0 and (' %d more above · k '):format(above)
    or ''
  api.nvim_win_set_config(window, { footer = hint, footer_pos = 'right' })
end

---@param buffer integer
---@param window integer
local function set_keys(buffer, window)
  local function close()
    if api.nvim_win_is_valid(window) then
      api.nvim_win_close(window, true)
    end
  end
  for _, lhs in ipairs({ 'q', '<Esc>', 'g?' }) do
    vim.keymap.set('n', lhs, close, { buffer = buffer, nowait = true })
  end
  for lhs, scroll in pairs({ j = '<C-e>', ['<Down>'] = '<C-e>', k = '<C-y>', ['<Up>'] = '<C-y>' }) do
    vim.keymap.set('n', lhs, scroll, { buffer = buffer })
  end
  api.nvim_create_autocmd(
    'WinLeave',
    { buffer = buffer, once = true, callback = vim.schedule_wrap(close) }
  )
  api.nvim_create_autocmd('WinScrolled', {
    buffer = buffer,
    callback = function()
      tell_rest(window)
    end,
  })
end

--- Opens the float; `q`, `<Esc>` or leaving it closes it.
---@param sections ollama.HelpSection[]
function M.open(sections)
  require('ollama-remote.highlights')
  local buffer, needed, rows = fill(columns(sections))
  local width = math.min(needed + 1, vim.o.columns - FRAME.columns)
  local height = math.min(rows, vim.o.lines - FRAME.rows)
  local window = api.nvim_open_win(buffer, true, {
    relative = 'editor',
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.floor((vim.o.columns - width) / 2) - 1,
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = TITLE,
  })
  vim.wo[window].wrap = false
  set_keys(buffer, window)
  if height < rows then
    -- Its last row in sight is known when it has been drawn.
    vim.schedule(function()
      if api.nvim_win_is_valid(window) then
        vim.cmd.redraw()
        tell_rest(window)
      end
    end)
  end
end

return M
