-- The host's process: where it is, how it starts and how it dies. What is said to it is in rpc.lua.
local M = {}

M.OLDEST_NODE = '20.18.1'

local STARTS_ALLOWED = 4
local STARTS_WITHIN_MS = 30000
local STDERR_LINES = 200

--- The error lines of all hosts of this Neovim, the last ones only, for `:Ollama log` and :checkhealth.
---@type string[]
M.stderr = {}

--- What the running host, or the last one, said of its failure.
---@type string?
M.last_words = nil

---@type integer[]
local starts = {}

---@return string
function M.root()
  local source = debug.getinfo(1, 'S').source:sub(2)
  return vim.fn.fnamemodify(source, ':p:h:h:h')
end

--- The built host. The variable is there for tests and for people who work on the plugin.
---@return string
function M.bundle()
  local given = vim.env.OLLAMA_REMOTE_BUNDLE
  return given and given ~= '' and given or M.root() .. '/rplugin/node/ollama-remote/index.cjs'
end

---@return boolean
function M.is_built()
  return vim.uv.fs_stat(M.bundle()) ~= nil
end

---@return string? path
---@return ollama.Error?
function M.node()
  local wanted = require('ollama-remote.config').resolved().node
  local path = vim.fn.exepath(wanted)
  if path ~= '' then
    return path
  end
  return nil,
    {
      code = 'NODE_MISSING',
      message = ('Node.js was not found: %s is not executable'):format(wanted),
      hint = ('Install Node.js %s or newer, or name it: setup { node = "/path/to/node" }'):format(
        M.OLDEST_NODE
      ),
    }
end

---@param version string
---@return ollama.Error?
function M.check_node(version)
  if not vim.version.lt(version:gsub('^v', ''), M.OLDEST_NODE) then
    return nil
  end
  return {
    code = 'NODE_TOO_OLD',
    message = ('Node.js %s is too old for ollama-remote.nvim'):format(version),
    hint = ('Install %s or newer, or name it: setup { node = "/path/to/node" }'):format(
      M.OLDEST_NODE
    ),
  }
end

--- Whether a host that keeps dying has used up its starts; `M.forgive` gives them back.
---@return ollama.Error?
local function guard()
  local now = vim.uv.now()
  starts = vim.tbl_filter(function(at)
    return now - at < STARTS_WITHIN_MS
  end, starts)
  if #starts < STARTS_ALLOWED then
    starts[#starts + 1] = now
    return nil
  end
  return {
    code = 'HOST_KEEPS_DYING',
    message = ('The host was started %d times within %d s and is not started again'):format(
      STARTS_ALLOWED,
      STARTS_WITHIN_MS / 1000
    ),
    hint = 'See :Ollama log, then :Ollama restart',
  }
end

function M.forgive()
  starts = {}
end

---@param line string
local function keep_line(line)
  if line == '' then
    return
  end
  M.stderr[#M.stderr + 1] = line
  if #M.stderr > STDERR_LINES then
    table.remove(M.stderr, 1)
  end
  -- A dying Node ends with a stack and its own version: neither says what happened.
  if
    line:match('^[%w_.]*Error') or not (M.last_words or line:match('^%s') or line:match('^Node'))
  then
    M.last_words = line
  end
end

--- Makes lines of the chunks of a job's output, in which the last line of one goes on in the next.
---@return fun(job: integer, chunk: string[])
local function line_keeper()
  local partial = ''
  return function(_, chunk)
    local ended = #chunk == 1 and chunk[1] == ''
    if ended then
      return keep_line(partial)
    end
    chunk[1] = partial .. chunk[1]
    partial = table.remove(chunk)
    vim.tbl_map(keep_line, chunk)
  end
end

--- Starts a host. `on_exit` is called once, with the exit code.
---@param on_exit fun(code: integer)
---@return integer? channel
---@return ollama.Error?
function M.start(on_exit)
  local node, missing = M.node()
  local refusal = missing or guard()
  if refusal then
    return nil, refusal
  end
  M.last_words = nil
  local ok, channel = pcall(vim.fn.jobstart, { node, M.bundle() }, {
    rpc = true,
    -- A user's ALLOW_CONSOLE would make the host's client write to stdout, which is the channel.
    env = { ALLOW_CONSOLE = '', OLLAMA_REMOTE_HOST = '1' },
    on_stderr = line_keeper(),
    on_exit = function(_, code)
      on_exit(code)
    end,
  })
  if ok and channel > 0 then
    return channel
  end
  return nil,
    {
      code = 'HOST_NOT_STARTED',
      message = 'The host could not be started: ' .. tostring(channel),
      hint = 'See :checkhealth ollama-remote',
    }
end

---@param channel integer
function M.stop(channel)
  pcall(vim.fn.jobstop, channel)
end

return M
