-- fzf in a popup of the tmux that shows Neovim. What it is fed with and what it said is not here.
local M = {}

--- `3.3a` or `next-3.5`: whether it has popups.
---@param version string
---@return boolean
function M.has_popups(version)
  local major, minor = version:match('(%d+)%.(%d+)')
  major, minor = tonumber(major) or 0, tonumber(minor) or 0
  return major > 3 or major == 3 and minor >= 2
end

--- A window of its own, or one that shows a Neovim that runs elsewhere, may stand on another screen than the tmux.
---@return boolean
local function is_in_terminal()
  return vim.iter(vim.api.nvim_list_uis()):any(function(ui)
    return ui.stdout_tty == true
  end)
end

---@type table<string, boolean> by the server's address
local known = {}

--- Calls back with whether a popup can be had. tmux is asked once, and waited for by nobody.
---@param callback fun(is_possible: boolean)
function M.is_possible(callback)
  local server = vim.env.TMUX
  if not server or server == '' or not is_in_terminal() then
    return callback(false)
  end
  if known[server] ~= nil then
    return callback(known[server])
  end
  local command = { 'tmux', 'display-message', '-p', '#{version}' }
  local function told(outcome)
    known[server] = outcome.code == 0 and M.has_popups(outcome.stdout or '')
    callback(known[server])
  end
  if not pcall(vim.system, command, { text = true, timeout = 2000 }, vim.schedule_wrap(told)) then
    told({ code = 1 })
  end
end

--- Runs the script in a popup. `on_exit` is not told fzf's code: tmux does not tell it in every version.
---@param script string
---@param lines? integer that suffice
---@param on_exit fun()
function M.run(script, lines, on_exit)
  -- Its border takes two of them.
  local height = lines and math.min(lines + 2, math.floor(vim.o.lines * 0.85))
  local command = { 'tmux', 'display-popup', '-E', '-w', '90%', '-h', tostring(height or '85%') }
  if vim.env.TMUX_PANE then
    vim.list_extend(command, { '-t', vim.env.TMUX_PANE })
  end
  vim.list_extend(command, { 'sh', script })
  if not pcall(vim.system, command, {}, vim.schedule_wrap(on_exit)) then
    on_exit()
  end
end

return M
