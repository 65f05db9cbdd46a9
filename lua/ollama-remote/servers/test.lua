-- The test of a server: the steps of the way to it as they come, in a float. How they are made is the host's.
local M = {}

local api = vim.api
local rpc = require('ollama-remote.rpc')

local NAMESPACE = api.nvim_create_namespace('ollama-remote.server-test')
local WIDTH = 78

---@class ollama.TestStep a step of the host's, see `TestStep` in src/rpc/shapes.ts
---@field stage string
---@field hop? string
---@field ms number
---@field detail? string
---@field error? ollama.Error

---@class ollama.Test
---@field id integer
---@field title string
---@field url string
---@field steps ollama.TestStep[]
---@field is_over boolean
---@field asks_next? boolean whether the person is asked what to do with the outcome
---@field failure? ollama.Error why the test could not be made, or was given up
---@field buffer? integer
---@field window? integer

---@type table<integer, ollama.Test>
local running = {}
local last_id = 0

local NAMES = {
  configuration = 'configuration',
  resolve = 'resolve',
  tcp = 'TCP',
  ['host-key'] = 'host key',
  authentication = 'authentication',
  channel = 'channel',
  http = 'HTTP',
  version = 'version',
  models = 'models',
}

---@param step ollama.TestStep
---@param width integer
---@return string[]
local function passed(step, width)
  local line = ('✓ %-15s %6.0f ms'):format(NAMES[step.stage] or step.stage, step.ms)
  local whole = step.detail and line .. '  ' .. step.detail or line
  if vim.fn.strdisplaywidth(whole) <= width then
    return { whole }
  end
  local details = require('ollama-remote.columns').wrap(step.detail, width - 4)
  return vim.list_extend(
    { line },
    vim.tbl_map(function(detail)
      return '    ' .. detail
    end, details)
  )
end

--- The steps as lines, a heading where another host begins; pure.
---@param steps ollama.TestStep[]
---@param options { url: string, width: integer }
---@return { text: string, group?: string }[]
function M.lines(steps, options)
  local wrap = require('ollama-remote.columns').wrap
  local lines, place = {}, nil
  local function add(text, group)
    lines[#lines + 1] = { text = text, group = group }
  end
  for _, step in ipairs(steps) do
    local here = step.hop or (step.error and place) or options.url
    if here ~= place then
      place = here
      add(here, 'OllamaRemoteServer')
    end
    if not step.error then
      for index, line in ipairs(passed(step, options.width)) do
        add(line, index == 1 and 'OllamaRemotePassed' or nil)
      end
    else
      local name = NAMES[step.stage] or step.stage
      add(('✗ %-15s %s'):format(name, step.error.code), 'OllamaRemoteFailed')
      for _, text in ipairs({ step.error.message, step.error.hint }) do
        for _, line in ipairs(wrap(text, options.width - 4)) do
          add('    ' .. line)
        end
      end
    end
  end
  return lines
end

---@param steps ollama.TestStep[]
---@return ollama.Error? failure of the last step
---@return number milliseconds in all
function M.outcome(steps)
  local total = 0
  for _, step in ipairs(steps) do
    total = total + step.ms
  end
  local last = steps[#steps]
  return last and last.error, total
end

---@param test ollama.Test
---@return { text: string, group?: string }
local function closing_line(test)
  if not test.is_over then
    return { text = '… testing · q gives up', group = 'OllamaRemoteDim' }
  end
  local failure, total = M.outcome(test.steps)
  if test.asks_next then
    return { text = '' }
  end
  if test.failure or failure then
    return { text = 'q closes', group = 'OllamaRemoteDim' }
  end
  return { text = ('All is well: %.0f ms · q closes'):format(total), group = 'OllamaRemoteDim' }
end

---@param test ollama.Test
local function render(test)
  if not (test.buffer and api.nvim_buf_is_valid(test.buffer)) then
    return
  end
  local width = math.min(WIDTH, vim.o.columns - 4)
  local lines = M.lines(test.steps, { url = test.url, width = width - 2 })
  if test.failure then
    local failure = { { stage = 'configuration', ms = 0, error = test.failure } }
    vim.list_extend(lines, M.lines(failure, { url = test.url, width = width - 2 }))
  end
  lines[#lines + 1] = closing_line(test)
  vim.bo[test.buffer].modifiable = true
  api.nvim_buf_set_lines(
    test.buffer,
    0,
    -1,
    false,
    vim.tbl_map(function(line)
      return ' ' .. line.text
    end, lines)
  )
  vim.bo[test.buffer].modifiable = false
  for row, line in ipairs(lines) do
    if line.group then
      -- Of a step that passed, the mark alone: all in green would hide what matters.
      local to = line.group == 'OllamaRemotePassed' and #' ✓' or #line.text + 1
      local options = { end_col = to, hl_group = line.group }
      api.nvim_buf_set_extmark(test.buffer, NAMESPACE, row - 1, 0, options)
    end
  end
  if test.window and api.nvim_win_is_valid(test.window) then
    local height = math.min(#lines, vim.o.lines - 4)
    local row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1)
    local col = math.max(0, math.floor((vim.o.columns - width) / 2) - 1)
    api.nvim_win_set_config(test.window, {
      relative = 'editor',
      row = row,
      col = col,
      width = width,
      height = height,
    })
  end
end

---@param test ollama.Test
function M.close(test)
  local window = test.window
  test.window = nil
  if window and api.nvim_win_is_valid(window) then
    api.nvim_win_close(window, true)
  end
  if not test.is_over then
    rpc.request('servers.cancel', { walk = test.id }, function() end)
  end
end

---@param test ollama.Test
local function open_float(test)
  test.buffer = api.nvim_create_buf(false, true)
  vim.bo[test.buffer].bufhidden = 'wipe'
  test.window = api.nvim_open_win(test.buffer, true, {
    relative = 'editor',
    row = 1,
    col = 1,
    width = math.min(WIDTH, vim.o.columns - 4),
    height = 1,
    style = 'minimal',
    border = 'rounded',
    title = (' %s '):format(test.title),
  })
  vim.wo[test.window].wrap = false
  for _, lhs in ipairs({ 'q', '<Esc>', '<C-c>' }) do
    vim.keymap.set('n', lhs, function()
      M.close(test)
    end, { buffer = test.buffer, nowait = true })
  end
  render(test)
end

--- Begins a test without showing it.
---@param server string
---@param options { draft?: table, may_ask: boolean }
---@param on_done fun(failure: ollama.Error?, steps: ollama.TestStep[])
---@return ollama.Test
function M.run(server, options, on_done)
  last_id = last_id + 1
  local test = { id = last_id, title = '', url = '', steps = {}, is_over = false }
  running[test.id] = test
  local params =
    { walk = test.id, server = server, draft = options.draft, may_ask = options.may_ask }
  rpc.request('servers.test', params, function(failure, answer)
    running[test.id] = nil
    test.is_over = true
    test.failure = failure
    test.steps = answer and answer.steps or test.steps
    render(test)
    on_done(failure, test.steps)
  end)
  return test
end

--- Tests a server in sight.
---@param server { name: string, url: string }
---@param options { draft?: table, on_done?: fun(test: ollama.Test, failure: ollama.Error?) }
function M.show(server, options)
  require('ollama-remote.highlights')
  local test
  test = M.run(server.name, { draft = options.draft, may_ask = true }, function(failure)
    if options.on_done then
      options.on_done(test, failure or M.outcome(test.steps))
    end
  end)
  test.title, test.url = 'Test of ' .. server.name, server.url
  test.asks_next = options.on_done ~= nil
  open_float(test)
end

--- The host tells of a step.
---@param id integer
---@param step ollama.TestStep
function M.add(id, step)
  local test = running[id]
  if test then
    table.insert(test.steps, step)
    render(test)
  end
end

return M
