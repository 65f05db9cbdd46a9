-- :Ollama servers: one buffer with a row for each server, live while it can be seen. How the rows look is
-- servers/rows.lua's, the window servers/window.lua's; tests and dialogues have files of their own.
local M = {}

local api = vim.api
local list_window = require('ollama-remote.list_window')
local rpc = require('ollama-remote.rpc')

local NAMESPACE = api.nvim_create_namespace('ollama-remote.servers')

--- What a server says of itself is asked for again after so many ticks.
local TICKS_BETWEEN_LOOKS = 10

---@class ollama.ServersView
---@field buffer? integer
---@field servers ollama.Server[]
---@field details table<string, ollama.ServerDetails>
---@field lines table<integer, string> the server of each line
---@field notice? string what stands there in place of servers
---@field timer? uv.uv_timer_t
---@field ticks integer

---@type ollama.ServersView
local view = { servers = {}, details = {}, lines = {}, ticks = 0 }

---@return integer? window
local function window()
  return list_window.visible(view.buffer)
end

--- The servers as they were last told, for dialogues.
---@return ollama.Server[]
function M.known()
  return view.servers
end

---@param name string
---@return ollama.Server?
local function find(name)
  return vim.iter(view.servers):find(function(server)
    return server.name == name
  end)
end

--- Whether the cursor is in the list.
---@return boolean
function M.is_current()
  return api.nvim_get_current_buf() == view.buffer
end

--- The server that the cursor is on.
---@return ollama.Server?
function M.under_cursor()
  local name = M.is_current() and view.lines[api.nvim_win_get_cursor(0)[1]] or nil
  return name and find(name)
end

---@param width integer
---@return ollama.ServerPicture
local function picture(width)
  if view.notice then
    local lines = vim.tbl_map(function(line)
      return '   ' .. line
    end, require('ollama-remote.columns').wrap(view.notice, width - 4))
    return { lines = lines, marks = {}, servers = {} }
  end
  local seconds, microseconds = vim.uv.gettimeofday()
  local now = seconds * 1000 + microseconds / 1000
  local options = { details = view.details, width = width, now = now }
  return require('ollama-remote.servers.rows').picture(view.servers, options)
end

--- The line of the same server as before, or else the first one of a server.
---@param name? string
---@param servers table<integer, string>
---@return integer
local function line_for(name, servers)
  local lines = vim.tbl_keys(servers)
  table.sort(lines)
  for _, line in ipairs(lines) do
    if servers[line] == name then
      return line
    end
  end
  return lines[1] or 1
end

function M.render()
  local shown = window()
  if not shown then
    return
  end
  local drawn = picture(api.nvim_win_get_width(shown))
  local cursor = api.nvim_win_get_cursor(shown)
  local name = view.lines[cursor[1]]
  vim.bo[view.buffer].modifiable = true
  api.nvim_buf_set_lines(view.buffer, 0, -1, false, drawn.lines)
  vim.bo[view.buffer].modifiable = false
  view.lines = drawn.servers
  api.nvim_buf_clear_namespace(view.buffer, NAMESPACE, 0, -1)
  for _, mark in ipairs(drawn.marks) do
    api.nvim_buf_set_extmark(view.buffer, NAMESPACE, mark.line, mark.from, {
      end_col = mark.to,
      hl_group = mark.group,
    })
  end
  -- Who reads a sentence under a server stays in it.
  local line = view.lines[cursor[1]] == name and name and cursor[1] or line_for(name, view.lines)
  local length = #(drawn.lines[line] or '')
  api.nvim_win_set_cursor(shown, { line, math.min(cursor[2], math.max(0, length - 1)) })
  require('ollama-remote.servers.window').dress(shown)
end

--- Asks a server that can be asked for its version and its models in memory.
---@param server ollama.Server
local function look_at(server)
  if server.state ~= 'ready' or not window() then
    return
  end
  rpc.request('servers.details', { server = server.name }, function(failure, details)
    local known = find(server.name)
    if not failure and known and known.state == 'ready' then
      view.details[server.name] = details
      M.render()
    end
  end)
end

---@param failure ollama.Error
local function say_failure(failure)
  if #view.servers == 0 then
    view.notice = ('%s: %s'):format(failure.code, require('ollama-remote.message').of(failure))
    return M.render()
  end
  require('ollama-remote.message').tell(failure)
end

--- Asks the host for all servers, and those that can be asked for what they say of themselves.
---@param name? string the server to put the cursor on
function M.refresh(name)
  view.is_orphaned = false
  rpc.request('servers.list', {}, function(failure, listed)
    if failure then
      return say_failure(failure)
    end
    view.servers, view.notice = listed.servers, nil
    local shown = window()
    M.render()
    if name and shown then
      api.nvim_win_set_cursor(shown, { line_for(name, view.lines), 0 })
    end
    vim.tbl_map(look_at, view.servers)
  end)
end

--- The host tells how a server stands now.
---@param server ollama.Server
function M.update(server)
  for index, known in ipairs(view.servers) do
    if known.name == server.name then
      view.servers[index] = server
      if server.state ~= 'ready' then
        view.details[server.name] = nil
      elseif known.state ~= 'ready' then
        look_at(server)
      end
      return M.render()
    end
  end
end

local function tick()
  if not window() then
    return M.rest()
  end
  view.ticks = view.ticks + 1
  local counts_down = vim.iter(view.servers):any(function(server)
    return server.state == 'waiting'
  end)
  if counts_down then
    M.render()
  end
  if view.ticks % TICKS_BETWEEN_LOOKS == 0 and rpc.is_running() then
    vim.tbl_map(look_at, view.servers)
  end
end

--- Nothing is asked for while nobody looks.
function M.rest()
  list_window.stop_ticking(view)
end

local function watch()
  list_window.start_ticking(view, tick)
end

--- Opens the list at once; what is not known yet comes when the host answers.
function M.open()
  require('ollama-remote.highlights')
  if not (view.buffer and api.nvim_buf_is_valid(view.buffer)) then
    view.buffer = require('ollama-remote.servers.window').new_buffer(watch, M.rest)
  end
  local shown = window()
  if shown then
    api.nvim_set_current_win(shown)
  else
    require('ollama-remote.servers.window').open(view.buffer)
  end
  if #view.servers == 0 then
    view.notice = 'asking the host …'
  end
  watch()
  M.render()
  M.refresh()
end

function M.close()
  if api.nvim_get_current_buf() == view.buffer then
    list_window.close()
  end
end

--- Does something with the server under the cursor, or says that there is none.
---@param callback fun(server: ollama.Server)
---@return fun()
local function with_server(callback)
  return function()
    local server = M.under_cursor()
    if server then
      return callback(server)
    end
    require('ollama-remote.message').whisper('There is no server under the cursor')
  end
end

--- Asks for all anew, and has what is down tried again, also where a person must answer for it.
function M.try_again()
  local is_down = { failed = true, waiting = true, lost = true }
  for _, server in ipairs(view.servers) do
    if is_down[server.state] then
      -- What comes of it is the server's state, and shown as such.
      rpc.request('servers.connect', { server = server.name }, function() end)
    end
  end
  M.refresh()
end

M.connect = with_server(function(server)
  rpc.request('servers.connect', { server = server.name }, function(failure)
    local known = find(server.name)
    look_at(known or server)
    -- What the row says need not be said again.
    if failure and not (known and known.error and known.error.code == failure.code) then
      require('ollama-remote.message').tell(failure)
    end
  end)
end)

M.disconnect = with_server(function(server)
  if server.transport == 'direct' then
    local text = ('%s is asked without a connection that stays: there is nothing to end'):format(
      server.name
    )
    return require('ollama-remote.message').whisper(text)
  end
  rpc.request('servers.disconnect', { server = server.name }, require('ollama-remote.message').tell)
end)

M.test = with_server(function(server)
  require('ollama-remote.servers.test').show(server, {})
end)

M.edit = with_server(function(server)
  require('ollama-remote.servers.edit').edit(server)
end)

M.remove = with_server(function(server)
  require('ollama-remote.servers.edit').remove(server)
end)

M.make_default = with_server(function(server)
  rpc.request('servers.default', { server = server.name }, function(failure)
    if failure then
      return require('ollama-remote.message').tell(failure)
    end
    M.refresh(server.name)
  end)
end)

list_window.when_seen(function()
  if window() then
    watch()
  end
  M.render()
end)

-- A list that was asked for anew is on its way already.
rpc.when_up(function()
  if window() and view.is_orphaned then
    M.refresh()
  end
end)

rpc.when_gone(function()
  view.servers, view.details = {}, {}
  view.notice = 'The host has ended. r starts it again.'
  view.is_orphaned = true
  M.render()
end)

return M
