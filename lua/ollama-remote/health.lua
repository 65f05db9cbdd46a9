-- :checkhealth ollama-remote: what is there on this machine. The servers, for which it starts the host, are in
-- health/servers.lua.
local M = {}

local health = vim.health

local function check_neovim()
  local version = tostring(vim.version())
  if vim.fn.has('nvim-0.10') == 0 then
    return health.error(('Neovim %s is too old'):format(version), { 'Use Neovim 0.10 or newer' })
  end
  health.ok('Neovim ' .. version)
  if #vim.api.nvim_get_runtime_file('parser/markdown.*', false) == 0 then
    health.warn("No treesitter parser for markdown: Vim's syntax highlighting is used")
  end
end

local function check_node()
  local host = require('ollama-remote.host')
  local path, failure = host.node()
  if failure then
    return health.error(failure.message, { failure.hint })
  end
  local info = require('ollama-remote.rpc').info()
  if info and info.node then
    return health.ok(('Node.js %s (%s)'):format(info.node, path))
  end
  health.info(('Node.js is %s; its version shows when the host runs'):format(path))
end

local function check_host()
  local host, rpc = require('ollama-remote.host'), require('ollama-remote.rpc')
  if host.is_built() then
    health.ok('The host is built: ' .. host.bundle())
  else
    health.error('The host is not built: ' .. host.bundle(), {
      ('Run "make build" in %s'):format(host.root()),
      'Or open a chat, which offers to do so',
    })
  end
  local info = rpc.info()
  if info then
    health.ok(('The host runs: version %s, process %s'):format(info.version, info.pid))
  else
    health.info(
      rpc.is_running() and 'The host is starting'
        or 'The host is not running; the first use starts it'
    )
  end
  if #host.stderr > 0 then
    health.warn('The host wrote to its standard error, last: ' .. host.stderr[#host.stderr], {
      'See :Ollama log',
    })
  end
end

local function check_configuration()
  local file = require('ollama-remote.config').file()
  if vim.uv.fs_stat(file) then
    health.info('Configuration: setup() and ' .. file)
  else
    health.info(('Configuration: setup(); %s is not there'):format(file))
  end
  local problems = require('ollama-remote.rpc').problems()
  for _, problem in ipairs(problems) do
    health.error(problem.message, problem.hint and { problem.hint } or nil)
  end
  if #problems == 0 and require('ollama-remote.rpc').info() then
    health.ok('The configuration is sound')
  end
end

local function check_picker()
  local backend = require('ollama-remote.choose.backend').current()
  if backend.missing then
    health.warn(('picker = "%s" is configured but not there'):format(backend.missing), {
      'Install it, or set another: see :help ollama-remote-pickers',
    })
  end
  local place = ''
  if backend.name == 'fzf' then
    place = vim.env.TMUX and ', in a popup of tmux where that has popups'
      or ', in a floating terminal'
  end
  health.ok(('Lists are shown by %s%s: %s'):format(backend.name, place, backend.why))
end

function M.check()
  health.start('ollama-remote')
  check_neovim()
  check_node()
  check_host()
  check_configuration()
  check_picker()
  require('ollama-remote.health.servers').check()
end

return M
