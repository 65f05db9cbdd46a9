-- :Ollama models: one buffer with the models of one server or all, live while it can be seen. How rows look is
-- manager/rows.lua's, the window manager/window.lua's, what is done with a model manager/actions.lua's.
local M = {}

local api = vim.api
local list_window = require('ollama-remote.list_window')
local rpc = require('ollama-remote.rpc')

--- Ages are told in minutes: they are drawn anew after so many ticks, though nothing counts down.
local TICKS_BETWEEN_AGES = 30

---@class ollama.Manager
---@field buffer? integer
---@field only? string[] the servers it is for; nil for all
---@field order string[] servers as they are shown
---@field servers table<string, ollama.ServerModels>
---@field lines ollama.ManagerLine[]
---@field drawn? ollama.Drawn
---@field notice? string what stands there in place of models
---@field default_model? string
---@field sort? string
---@field filter? string
---@field marked table<string, boolean>
---@field busy table<string, string> what is being done with a model, by its ref
---@field watch? integer the number that the host knows the look by
---@field last_watch integer
---@field timer? uv.uv_timer_t
---@field ticks integer
---@field wanted? { ref: string, from?: string } the model to go to, and the one that the cursor was on when that was asked
---@field is_due boolean whether a drawing is on its way
---@field is_orphaned? boolean whether the host that told all this is gone

---@type ollama.Manager
local view = {
  order = {},
  servers = {},
  lines = {},
  marked = {},
  busy = {},
  last_watch = 0,
  ticks = 0,
  is_due = false,
}

M.view = view

---@return integer? window
local function window()
  return list_window.visible(view.buffer)
end

---@return number
local function now()
  local seconds, microseconds = vim.uv.gettimeofday()
  return seconds * 1000 + microseconds / 1000
end

---@param width integer
---@return ollama.ManagerLine[]
local function lines(width)
  if view.notice then
    return vim.tbl_map(function(line)
      return { text = '   ' .. line, marks = {} }
    end, require('ollama-remote.columns').wrap(view.notice, width - 4))
  end
  local servers = vim.tbl_map(function(name)
    return view.servers[name] or { server = name, state = 'ready', models = {} }
  end, view.order)
  return require('ollama-remote.manager.rows').lines(servers, {
    width = width,
    now = now(),
    default_model = view.default_model,
    sort = view.sort,
    filter = view.filter,
    marked = view.marked,
    busy = view.busy,
  })
end

--- Puts the cursor on the model that was asked for, once it is there, where the person has not gone on meanwhile.
local function go_to_wanted()
  local wanted = view.wanted
  if not wanted or api.nvim_get_current_buf() ~= view.buffer then
    return
  end
  local line = M.under_cursor()
  if (line and line.model and line.model.ref) ~= wanted.from then
    view.wanted = nil
    return
  end
  for index, other in ipairs(view.lines) do
    if
      other.model and require('ollama-remote.models.names').is_same(other.model.ref, wanted.ref)
    then
      view.wanted = nil
      return require('ollama-remote.manager.window').go_to(index)
    end
  end
end

function M.render()
  view.is_due = false
  local shown = window()
  if shown then
    view.lines = lines(api.nvim_win_get_width(shown))
    view.drawn = require('ollama-remote.manager.window').draw(view.buffer, view.lines, view.drawn)
    go_to_wanted()
  end
end

--- The cursor goes to a model's row when that comes.
---@param ref string
function M.want(ref)
  local line = M.under_cursor()
  view.wanted = line and { ref = ref, from = line.model and line.model.ref }
  go_to_wanted()
end

--- Draws once for all that is told in one turn of the main loop.
local function render_soon()
  if not view.is_due then
    view.is_due = true
    vim.schedule(M.render)
  end
end

--- The host tells how the models of a server stand now.
---@param rows ollama.ServerModels
function M.update(rows)
  -- They may come before the answer that tells which servers are watched.
  view.servers[rows.server] = rows
  for ref in pairs(view.marked) do
    local gone = vim.startswith(ref, rows.server .. ':')
      and not vim.iter(rows.models):any(function(model)
        return model.ref == ref
      end)
    if gone then
      view.marked[ref] = nil
    end
  end
  render_soon()
end

--- The host tells how a pull goes. That it began or ended comes with the rows, too.
---@param pull ollama.Pull
function M.pull(pull)
  local server = view.servers[pull.server]
  for _, model in ipairs(server and server.models or {}) do
    if model.name == pull.model or model.name == pull.model .. ':latest' then
      local is_over = pull.state == 'done' or pull.state == 'cancelled'
      model.pull = not is_over and pull or nil
      return render_soon()
    end
  end
end

---@return boolean
local function moves()
  return vim.iter(pairs(view.servers)):any(function(_, server)
    return server.state == 'waiting'
      or vim.iter(server.models):any(function(model)
        return model.loaded ~= nil and model.loaded.expires ~= nil
      end)
  end)
end

--- Nothing is asked for while nobody looks.
function M.rest()
  local watch = view.watch
  view.watch = nil
  list_window.stop_ticking(view)
  if watch and rpc.is_running() then
    rpc.request('models.unwatch', { watch = watch }, function() end)
  end
end

local function tick()
  if not window() then
    return M.rest()
  end
  view.ticks = view.ticks + 1
  -- Counting down needs no word of the server's.
  if moves() or view.ticks % TICKS_BETWEEN_AGES == 0 then
    M.render()
  end
end

---@param failure ollama.Error
local function say_failure(failure)
  view.notice = ('%s: %s'):format(failure.code, require('ollama-remote.message').of(failure))
  view.order = {}
  M.render()
end

--- Has the host tell of the models from now on.
local function watch()
  local before = view.watch
  view.last_watch = view.last_watch + 1
  local mine = view.last_watch
  view.watch = mine
  if before and rpc.is_running() then
    rpc.request('models.unwatch', { watch = before }, function() end)
  end
  list_window.start_ticking(view, tick)
  rpc.request('models.watch', { watch = mine, servers = view.only }, function(failure, watched)
    if view.watch ~= mine then
      return
    elseif failure then
      view.watch = nil
      return say_failure(failure)
    end
    view.order, view.default_model = watched.servers, watched.default_model
    view.notice = nil
    M.render()
  end)
  -- For the question after a name to pull, which does not wait for them.
  require('ollama-remote.manager.names').load()
end

local function shown_again()
  if not view.watch then
    watch()
  end
end

--- Opens the list at once; what is not known yet comes when the host answers.
---@param only? string[] the servers it is for
function M.open(only)
  require('ollama-remote.highlights')
  if not (view.buffer and api.nvim_buf_is_valid(view.buffer)) then
    view.drawn = nil
    view.buffer = require('ollama-remote.manager.window').new_buffer(shown_again, M.rest)
  end
  local changes = not vim.deep_equal(view.only, only)
  if changes then
    view.only, view.order = only, {}
  end
  if #view.order == 0 then
    view.notice = 'asking the host …'
  end
  local shown = window()
  if shown then
    api.nvim_set_current_win(shown)
  else
    require('ollama-remote.manager.window').open(view.buffer)
  end
  -- A window that was opened has begun to watch by itself.
  if shown and changes or not view.watch then
    watch()
  end
  M.render()
end

function M.close()
  if api.nvim_get_current_buf() == view.buffer then
    list_window.close()
  end
end

--- The servers that are shown.
---@return string[]
function M.servers()
  return view.order
end

--- A model's row as it was last told.
---@param ref string
---@return ollama.ModelRow?
function M.find(ref)
  for _, server in pairs(view.servers) do
    for _, model in ipairs(server.models) do
      if model.ref == ref then
        return model
      end
    end
  end
end

--- Whether the cursor is in the list.
---@return boolean
function M.is_current()
  return api.nvim_get_current_buf() == view.buffer
end

--- What the cursor is on.
---@return ollama.ManagerLine?
function M.under_cursor()
  if M.is_current() then
    return view.lines[api.nvim_win_get_cursor(0)[1]]
  end
end

--- Asks all that is shown anew, also where a person must answer for it.
function M.refresh()
  -- Others may be configured by now.
  watch()
  rpc.request('models.refresh', { servers = view.only }, require('ollama-remote.message').tell)
end

list_window.when_seen(function()
  if window() and not view.is_orphaned then
    shown_again()
  end
  M.render()
end)

rpc.when_up(function()
  if window() and view.is_orphaned then
    view.is_orphaned = false
    watch()
  end
end)

rpc.when_gone(function()
  view.servers, view.order, view.busy, view.watch = {}, {}, {}, nil
  view.notice = 'The host has ended. r starts it again.'
  view.is_orphaned = true
  M.render()
end)

return M
