-- Requests to the host and their answers: it starts on the first one, and its death ends each of them exactly once.
-- Nothing here waits.
local M = {}

local PROTOCOL = 1

---@alias ollama.Callback fun(failure: ollama.Error?, value: any)

---@class ollama.Request
---@field method string
---@field params table|fun(): table computed when it is sent
---@field callback ollama.Callback

--- What a host tells of itself in the handshake.
---@class ollama.HostInfo
---@field version string
---@field node string
---@field pid integer
---@field problems? ollama.Error[] what is wrong with the configuration

---@class ollama.Link
---@field channel? integer
---@field ready boolean the handshake was answered
---@field leaving boolean the host was told to stop
---@field info? ollama.HostInfo
---@field last_id integer
---@field open table<integer, ollama.Request> sent, not answered
---@field held ollama.Request[] made before the handshake was answered

---@type ollama.Link
local link = { ready = false, leaving = false, last_id = 0, open = {}, held = {} }

---@type fun()[]
local on_gone = {}

---@type fun()[]
local on_up = {}

--- Has `callback` called whenever a host is ready.
---@param callback fun()
function M.when_up(callback)
  on_up[#on_up + 1] = callback
end

--- Has `callback` called whenever a host is gone, after the open requests were failed.
---@param callback fun()
function M.when_gone(callback)
  on_gone[#on_gone + 1] = callback
end

---@return boolean
function M.is_running()
  return link.channel ~= nil
end

--- What the host told of itself; nil when none runs.
---@return ollama.HostInfo?
function M.info()
  return link.channel and link.info
end

--- What the host found wrong with the configuration.
---@return ollama.Error[]
function M.problems()
  local info = M.info()
  return info and info.problems or {}
end

---@param callback ollama.Callback
---@param failure? ollama.Error
---@param value? any
local function settle(callback, failure, value)
  local ok, thrown = xpcall(callback, debug.traceback, failure, value)
  if not ok then
    require('ollama-remote.message').say('ollama-remote: ' .. tostring(thrown), 'error')
  end
end

---@param requests ollama.Request[]
---@param failure ollama.Error
local function fail(requests, failure)
  for _, request in ipairs(requests) do
    settle(request.callback, failure)
  end
end

---@return ollama.Request[]
local function take_held()
  local held = link.held
  link.held = {}
  return held
end

---@return ollama.Request[] in the order of their asking
local function take_open()
  local ids = vim.tbl_keys(link.open)
  table.sort(ids)
  local open = vim.tbl_map(function(id)
    return link.open[id]
  end, ids)
  link.open = {}
  return open
end

--- msgpack knows no empty dictionary from Lua, and no function: each is made into what the host can judge.
---@param value any
---@return any
local function sendable(value)
  if type(value) == 'function' then
    return tostring(value)
  end
  if type(value) ~= 'table' then
    return value
  end
  return next(value) == nil and vim.empty_dict() or vim.tbl_map(sendable, value)
end

---@param request ollama.Request
local function post(request)
  local params = request.params
  params = sendable(type(params) == 'function' and params() or params)
  link.last_id = link.last_id + 1
  link.open[link.last_id] = request
  -- On a channel that has just closed this throws; on_exit, which follows, fails what is open.
  pcall(vim.rpcnotify, link.channel, 'request', link.last_id, request.method, params)
end

---@param failure ollama.Error?
---@param value any
local function on_handshake(failure, value)
  if not failure and value.node then
    failure = require('ollama-remote.host').check_node(value.node)
  end
  if failure then
    if failure.code == 'RPC_VERSION' then
      failure.hint = 'The plugin was updated while its host ran, or was half built: :Ollama restart'
    end
    M.stop()
    return fail(take_held(), failure)
  end
  link.ready, link.info = true, value
  for _, problem in ipairs(value.problems or {}) do
    require('ollama-remote.message').fail(problem, 'warn')
  end
  vim.tbl_map(post, take_held())
  for _, callback in ipairs(on_up) do
    callback()
  end
end

local function handshake()
  local config = require('ollama-remote.config')
  post({
    method = 'handshake',
    params = {
      protocol = PROTOCOL,
      config = config.written(),
      config_file = config.file(),
      log_file = config.log_file(),
      data_dir = config.data_dir(),
      pid = vim.uv.os_getpid(),
    },
    callback = on_handshake,
  })
end

---@param code integer
---@return ollama.Error
local function death(code)
  local words = require('ollama-remote.host').last_words
  return {
    code = 'HOST_EXITED',
    message = ('The host ended with exit code %d%s'):format(code, words and (': ' .. words) or ''),
    hint = 'The chat is kept; the next command starts a new host. See :Ollama log',
  }
end

local launch

---@param code integer
local function on_exit(code)
  local expected = link.leaving
  local failure = death(code)
  link.channel, link.ready, link.leaving, link.info = nil, false, false, nil
  if not expected then
    require('ollama-remote.message').fail(failure)
  end
  local lost = take_open()
  if not expected then
    vim.list_extend(lost, take_held())
  end
  fail(lost, failure)
  vim.tbl_map(function(callback)
    callback()
  end, on_gone)
  if #link.held > 0 then
    launch()
  end
end

---@return ollama.Error?
local function start()
  local channel, failure
  channel, failure = require('ollama-remote.host').start(function(code)
    if link.channel == channel and vim.v.exiting == vim.NIL then
      on_exit(code)
    end
  end)
  if failure then
    return failure
  end
  link.channel = channel
  handshake()
end

function launch()
  require('ollama-remote.build').when_built(function(failure)
    failure = failure or (not link.channel and start() or nil)
    if failure then
      vim.schedule(function()
        fail(take_held(), failure)
      end)
    end
  end)
end

--- Asks the host, and starts it if none runs. The callback is called exactly once, never before this returns.
--- A request that dies with its host gets HOST_EXITED, of which the person was told once already.
---@param method string
---@param params table|fun(): table
---@param callback ollama.Callback
function M.request(method, params, callback)
  local request = { method = method, params = params, callback = callback }
  if link.ready and not link.leaving then
    return post(request)
  end
  link.held[#link.held + 1] = request
  if not link.channel then
    launch()
  end
end

--- The host's answer to a request.
---@param id integer
---@param envelope { ok: boolean, value?: any, error?: ollama.Error }
function M.reply(id, envelope)
  local clean = require('ollama-remote.message').without_nulls
  local request = link.open[id]
  link.open[id] = nil
  if not request then
    return
  end
  if envelope.ok then
    settle(request.callback, nil, clean(envelope.value))
  else
    settle(request.callback, clean(envelope.error))
  end
end

--- Ends the host without a word of its death. Requests made from now on wait for its end and go to the next one.
function M.stop()
  if link.channel then
    link.leaving = true
    require('ollama-remote.host').stop(link.channel)
  end
end

return M
