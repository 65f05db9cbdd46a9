-- The buffer and the window of a live list over the whole width: options, keys, and the winbar that says them. What stands
-- in it, and when it is asked for, is the list's.
local M = {}

local api = vim.api

local group = api.nvim_create_augroup('ollama-remote.list-window', { clear = true })

---@class ollama.ListBuffer
---@field name string
---@field filetype string
---@field place ollama.Place whose keys it has
---@field on_show fun()
---@field on_hide fun()

---@param spec ollama.ListBuffer
---@return integer buffer
function M.new_buffer(spec)
  local buffer = api.nvim_create_buf(false, true)
  local stale = vim.fn.bufnr('^' .. spec.name .. '$')
  if stale > 0 then
    pcall(api.nvim_buf_delete, stale, { force = true })
  end
  api.nvim_buf_set_name(buffer, spec.name)
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
  require('ollama-remote.keys').apply(buffer, spec.place)
  local function on(events, callback)
    api.nvim_create_autocmd(events, { group = group, buffer = buffer, callback = callback })
  end
  on('BufWinEnter', spec.on_show)
  on({ 'BufHidden', 'BufWipeout' }, spec.on_hide)
  vim.bo[buffer].filetype = spec.filetype
  return buffer
end

--- The window in which a list can be seen: not one of another tab page, nor one that was made so small that nothing of it
--- is left.
---@param buffer? integer
---@return integer? window
function M.visible(buffer)
  if not (buffer and api.nvim_buf_is_valid(buffer)) then
    return
  end
  return vim.iter(api.nvim_tabpage_list_wins(0)):find(function(window)
    return api.nvim_win_get_buf(window) == buffer and vim.fn.getwininfo(window)[1].height > 0
  end)
end

--- Has a list told when it may have come into sight, or may have another width.
---@param callback fun()
function M.when_seen(callback)
  api.nvim_create_autocmd({ 'WinResized', 'VimResized', 'TabEnter' }, {
    group = group,
    callback = callback,
  })
end

local TICK_MS = 1000

--- Calls back once a second, until that is ended.
---@param view { timer?: uv.uv_timer_t }
---@param tick fun()
function M.start_ticking(view, tick)
  if not view.timer then
    view.timer = assert(vim.uv.new_timer())
    view.timer:start(TICK_MS, TICK_MS, vim.schedule_wrap(tick))
  end
end

---@param view { timer?: uv.uv_timer_t }
function M.stop_ticking(view)
  local timer = view.timer
  view.timer = nil
  if timer then
    timer:stop()
    timer:close()
  end
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
---@param height integer
function M.open(buffer, height)
  local shown = api.nvim_open_win(buffer, true, { split = 'below', win = -1, height = height })
  for option, value in pairs(WINDOW_OPTIONS) do
    api.nvim_set_option_value(option, value, { win = shown, scope = 'local' })
  end
  -- On 0.10 `equalalways` takes some of it away again.
  api.nvim_win_set_height(shown, height)
end

--- Closes the window that the cursor is in, and goes back to where the person came from: Neovim would go to a neighbour, and
--- the next key would fall into another text. The last window shows an empty buffer instead.
function M.close()
  local before = vim.fn.win_getid(vim.fn.winnr('#'))
  if not pcall(api.nvim_win_close, 0, false) then
    vim.cmd.enew()
  elseif before ~= 0 then
    api.nvim_set_current_win(before)
  end
end

--- What the winbar says of an action; a narrow window leaves out those of a higher rank.
---@alias ollama.ListHint { action: string, word: string, rank: integer }

--- The keys as they are mapped now: the user may have moved them.
---@param buffer integer
---@param all ollama.ListHint[]
---@param rank integer
---@return string
local function hints(buffer, all, rank)
  local keys = {}
  for _, map in ipairs(api.nvim_buf_get_keymap(buffer, 'n')) do
    local action = (map.rhs or ''):match('^<Plug>%(ollama%-(.-)%)$')
    if action then
      keys[action] = map.lhs
    end
  end
  local parts = {}
  for _, hint in ipairs(all) do
    if keys[hint.action] and hint.rank <= rank then
      parts[#parts + 1] = keys[hint.action] .. ' ' .. hint.word
    end
  end
  return ' ' .. table.concat(parts, ' · ')
end

--- Says the keys over the list, as many as fit.
---@param shown integer
---@param all ollama.ListHint[] in the order in which they are said
function M.dress(shown, all)
  local width = api.nvim_win_get_width(shown)
  local text
  for rank = 5, 0, -1 do
    text = hints(api.nvim_win_get_buf(shown), all, rank)
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
