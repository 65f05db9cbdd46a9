-- :Ollama log: the host's log file, and under it what the host wrote to its standard error.
local M = {}

local api = vim.api

---@param lines string[]
local function show_stderr(lines)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
  local height = math.min(#lines, 10) + 1
  local window = api.nvim_open_win(buffer, false, { split = 'below', win = 0, height = height })
  vim.wo[window].winbar = " the host's standard error"
end

function M.open()
  local file = require('ollama-remote.config').log_file()
  local stderr = require('ollama-remote.host').stderr
  local logged = vim.uv.fs_stat(file) ~= nil
  if not logged and #stderr == 0 then
    return require('ollama-remote.message').say('There is no log yet: no host has run')
  end
  if not logged then
    return show_stderr(stderr)
  end
  -- The chat's windows hold their buffers fast, and are narrow: the log goes under everything.
  -- Its lines hold strangers' words, which must never be taken for a modeline.
  local modeline = vim.go.modeline
  vim.go.modeline = false
  local ok, thrown = pcall(vim.cmd, 'botright sview ' .. vim.fn.fnameescape(file))
  vim.go.modeline = modeline
  if not ok then
    return require('ollama-remote.message').say(tostring(thrown), 'error')
  end
  vim.bo.modeline = false
  vim.bo.autoread = true
  vim.cmd.normal({ 'G', bang = true })
  if #stderr > 0 then
    show_stderr(stderr)
  end
end

return M
