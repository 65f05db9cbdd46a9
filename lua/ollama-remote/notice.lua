-- A message that is longer than the command line, readable in full for some seconds: there it would end in a
-- hit-enter prompt, and until somebody presses Enter at one, Neovim takes no text from the host.
local M = {}

local api = vim.api

local MOST_COLUMNS = 60
local LEAST_MS = 4000
local MS_PER_CHARACTER = 50

local GROUPS = { info = 'DiagnosticInfo', warn = 'DiagnosticWarn', error = 'DiagnosticError' }

---@type { window: integer, texts: string[] }?
local shown = nil

---@param window integer
local function close(window)
  if shown and shown.window == window then
    shown = nil
  end
  if api.nvim_win_is_valid(window) then
    api.nvim_win_close(window, true)
  end
end

--- Whether vim.notify is Neovim's own, which knows the command line only.
---@return boolean
function M.is_needed()
  -- 0.12 has its own Lua compiled without its names.
  local source = debug.getinfo(vim.notify, 'S').source
  return source == '?' or source:match('^@?vim/_') ~= nil
end

---@param text string
---@return string
function M.one_line(text)
  return (vim.trim(text):gsub('%s*\n%s*', ' — '))
end

---@param text string
---@return boolean
function M.fits(text)
  return not text:find('\n') and vim.fn.strdisplaywidth(text) <= vim.v.echospace
end

---@param lines string[]
---@return integer width
---@return integer height
local function size(lines)
  local width, height = 0, 0
  for _, line in ipairs(lines) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.max(1, math.min(width, MOST_COLUMNS, vim.o.columns - 4))
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(vim.fn.strdisplaywidth(line) / width))
  end
  -- One row more, for words that do not fill their row.
  return width, math.min(height + (height > #lines and 1 or 0), vim.o.lines - 6)
end

---@param lines string[]
---@param level string
---@return integer window
local function open(lines, level)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  local width, height = size(lines)
  local window = api.nvim_open_win(buffer, false, {
    relative = 'editor',
    anchor = 'NE',
    row = 1,
    col = vim.o.columns - 1,
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = ' ollama-remote ',
    focusable = false,
    noautocmd = true,
    zindex = 200,
  })
  vim.wo[window].wrap = true
  vim.wo[window].linebreak = true
  vim.wo[window].winhighlight = 'FloatBorder:' .. (GROUPS[level] or GROUPS.info)
  return window
end

--- Shows the text over the top right corner; one that is still shown stays readable above it.
---@param text string
---@param level string
function M.show(text, level)
  local texts = shown and shown.texts or {}
  if shown then
    close(shown.window)
  end
  texts = vim.list_slice(texts, math.max(1, #texts - 1))
  texts[#texts + 1] = text
  local lines = vim.split(table.concat(texts, '\n\n'), '\n', { plain = true })
  local ok, window = pcall(open, lines, level)
  if not ok then
    return
  end
  shown = { window = window, texts = texts }
  vim.defer_fn(function()
    close(window)
  end, LEAST_MS + MS_PER_CHARACTER * #text)
end

return M
