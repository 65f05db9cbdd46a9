-- The buffer and the window of the list of servers: options, keys, and the winbar that says them. What stands in it is
-- servers.lua's.
local M = {}

local api = vim.api

local group = api.nvim_create_augroup('ollama-remote.server-window', { clear = true })

--- Makes the buffer; the callbacks are called when it is shown and when it is hidden.
---@param on_show fun()
---@param on_hide fun()
---@return integer buffer
function M.new_buffer(on_show, on_hide)
  local buffer = api.nvim_create_buf(false, true)
  local stale = vim.fn.bufnr('^ollama-servers://$')
  if stale > 0 then
    pcall(api.nvim_buf_delete, stale, { force = true })
  end
  api.nvim_buf_set_name(buffer, 'ollama-servers://')
  for option, value in pairs({
    buftype = 'nofile',
    bufhidden = 'hide',
    swapfile = false,
    modeline = false,
    undolevels = -1,
    modifiable = false,
  }) do
    api.nvim_set_option_value(option, value, { buf = buffer })
  end
  require('ollama-remote.keys').apply(buffer, 'servers')
  api.nvim_create_autocmd('BufWinEnter', { group = group, buffer = buffer, callback = on_show })
  api.nvim_create_autocmd(
    { 'BufHidden', 'BufWipeout' },
    { group = group, buffer = buffer, callback = on_hide }
  )
  vim.bo[buffer].filetype = 'ollama-servers'
  return buffer
end

local WINDOW_OPTIONS = {
  cursorline = true,
  number = false,
  relativenumber = false,
  signcolumn = 'no',
  foldcolumn = '0',
  statuscolumn = '',
  spell = false,
  list = false,
  wrap = false,
  winfixheight = true,
}

--- Opens the buffer over the whole width.
---@param buffer integer
function M.open(buffer)
  local height = math.max(4, math.min(14, math.floor(vim.o.lines / 2)))
  local shown = api.nvim_open_win(buffer, true, { split = 'below', win = -1, height = height })
  for option, value in pairs(WINDOW_OPTIONS) do
    api.nvim_set_option_value(option, value, { win = shown, scope = 'local' })
  end
end

--- What the winbar says of each action, in its order; a narrow window leaves out those of a higher rank.
---@type { action: string, word: string, rank: integer }[]
local HINTS = {
  { action = 'server-connect', word = 'connect', rank = 1 },
  { action = 'server-disconnect', word = 'disconnect', rank = 2 },
  { action = 'server-test', word = 'test', rank = 1 },
  { action = 'server-add', word = 'add', rank = 1 },
  { action = 'server-edit', word = 'edit', rank = 1 },
  { action = 'server-remove', word = 'remove', rank = 2 },
  { action = 'server-default', word = 'default', rank = 3 },
  { action = 'server-refresh', word = 'refresh', rank = 3 },
  { action = 'server-close', word = 'close', rank = 3 },
  { action = 'help', word = 'keys', rank = 0 },
}

--- The keys as they are mapped now: the user may have moved them.
---@param buffer integer
---@param rank integer
---@return string
local function hints(buffer, rank)
  local keys = {}
  for _, map in ipairs(api.nvim_buf_get_keymap(buffer, 'n')) do
    local action = (map.rhs or ''):match('^<Plug>%(ollama%-(.-)%)$')
    if action then
      keys[action] = map.lhs
    end
  end
  local parts = {}
  for _, hint in ipairs(HINTS) do
    if keys[hint.action] and hint.rank <= rank then
      parts[#parts + 1] = keys[hint.action] .. ' ' .. hint.word
    end
  end
  return ' ' .. table.concat(parts, ' · ')
end

--- Says the keys over the list.
---@param shown integer
function M.dress(shown)
  local width = api.nvim_win_get_width(shown)
  local text
  for rank = 3, 0, -1 do
    text = hints(api.nvim_win_get_buf(shown), rank)
    if vim.fn.strdisplaywidth(text) <= width then
      break
    end
  end
  local winbar = '%#OllamaRemoteDim#' .. text:gsub('%%', '%%%%')
  if vim.wo[shown].winbar ~= winbar then
    api.nvim_set_option_value('winbar', winbar, { win = shown, scope = 'local' })
  end
end

return M
