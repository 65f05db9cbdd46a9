-- fzf in a floating terminal of Neovim. What it is fed with and what it said is not here.
local M = {}

local api = vim.api

--- Many have these in terminals for other things; in a list they are the list's.
local KEYS = { '<Esc>', '<C-c>', '<C-h>', '<C-j>', '<C-k>', '<C-l>', '<C-n>', '<C-p>' }

---@param list ollama.List
---@return table
local function place(list)
  local columns, lines = vim.o.columns, vim.o.lines - vim.o.cmdheight
  local width = math.max(20, math.min(columns - 4, math.floor(columns * 0.9)))
  local suffices = require('ollama-remote.choose.fzf_script').height(list) or lines
  local height = math.max(5, math.min(lines - 4, math.floor(lines * 0.85), suffices))
  return {
    relative = 'editor',
    row = math.max(0, math.floor((lines - height) / 2) - 1),
    col = math.max(0, math.floor((columns - width) / 2) - 1),
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = (' %s '):format(list.title),
    title_pos = 'center',
  }
end

---@param command string[]
---@param on_exit fun(code: integer)
---@return integer job, not above 0 when it could not be started
local function start_terminal(command, on_exit)
  local options = {
    on_exit = function(_, code)
      on_exit(code)
    end,
  }
  if vim.fn.has('nvim-0.11') == 0 then
    return vim.fn.termopen(command, options)
  end
  options.term = true
  return vim.fn.jobstart(command, options)
end

---@param buffer integer
---@param list ollama.List
local function keep_keys(buffer, list)
  local keys = vim.list_extend({}, KEYS)
  for _, action in ipairs(list.actions) do
    keys[#keys + 1] = action.key
  end
  for _, key in ipairs(keys) do
    vim.keymap.set('t', key, key, { buffer = buffer, nowait = true })
  end
end

--- Runs the script in a float; the window before gets the focus back, and its mode, before `on_exit` is called. The code is 0 too when somebody closed the float.
---@param script string
---@param list ollama.List
---@param on_exit fun(code: integer)
function M.run(script, list, on_exit)
  local origin = api.nvim_get_current_win()
  local was_inserting = api.nvim_get_mode().mode:find('^i') ~= nil
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  local window = api.nvim_open_win(buffer, true, place(list))
  local resizing = api.nvim_create_autocmd('VimResized', {
    callback = function()
      if api.nvim_win_is_valid(window) then
        api.nvim_win_set_config(window, place(list))
      end
    end,
  })
  local function finish(code)
    pcall(api.nvim_del_autocmd, resizing)
    local is_there = api.nvim_win_is_valid(window)
    local is_inside = is_there and api.nvim_get_current_win() == window
    if is_there then
      pcall(api.nvim_win_close, window, true)
    end
    if is_inside and api.nvim_win_is_valid(origin) then
      api.nvim_set_current_win(origin)
      vim.cmd(was_inserting and 'startinsert' or 'stopinsert')
    end
    -- When its terminal is taken away, fzf ends with whatever code.
    on_exit(is_there and code or 0)
  end
  local ok, job = pcall(start_terminal, { 'sh', script }, finish)
  if not ok or job <= 0 then
    return finish(-1)
  end
  keep_keys(buffer, list)
  vim.cmd.startinsert()
end

return M
