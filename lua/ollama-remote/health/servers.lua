-- The servers' part of :checkhealth: each is tested as the list of servers tests it. Neovim has the whole report at once
-- and waits for nobody, so what comes of the tests is written into the report when it comes.
local M = {}

local api = vim.api
local health = vim.health

local NAMESPACE = api.nvim_create_namespace('ollama-remote.health')
local COMING = 'The servers are tested now; what comes of it will stand here.'

--- Without a screen there is no editor to freeze, and the report is read when Neovim has ended.
local HEADLESS_MS = 30000

--- What a person could have answered, had he been asked.
local UNASKED = {
  SSH_HOST_KEY_UNKNOWN = true,
  SSH_AUTH_CANCELLED = true,
  SSH_PASSPHRASE_WRONG = true,
}

---@class ollama.CheckedServer
---@field server ollama.Server
---@field steps ollama.TestStep[]
---@field failure? ollama.Error
---@field is_over boolean

---@class ollama.ServersReport
---@field servers ollama.CheckedServer[]
---@field failure? ollama.Error why the servers are not known
---@field is_listed boolean

---@param report ollama.ServersReport
---@return boolean
local function is_over(report)
  return report.failure ~= nil
    or report.is_listed
      and vim.iter(report.servers):all(function(checked)
        return checked.is_over
      end)
end

--- As Neovim itself writes them.
---@param word 'OK'|'ERROR'
---@return string
local function verdict(word)
  if vim.fn.has('nvim-0.11') == 0 then
    return word
  end
  return (word == 'OK' and '✅ ' or '❌ ') .. word
end

---@param checked ollama.CheckedServer
---@return 'OK'|'ERROR'|nil word nil while the test runs
---@return string[] lines the first one without the word
local function told_of(checked)
  local test = require('ollama-remote.servers.test')
  local failure, total = test.outcome(checked.steps)
  failure = checked.failure or failure
  local what = not checked.is_over and 'testing …'
    or failure and failure.code
    or ('%.0f ms'):format(total)
  local lines = { ('%s: %s'):format(checked.server.name, what) }
  local steps = test.lines(checked.steps, { url = checked.server.url, width = 74 })
  if checked.failure then
    table.insert(steps, { text = require('ollama-remote.message').of(checked.failure) })
  end
  for _, line in ipairs(steps) do
    for part in vim.gsplit(line.text, '\n', { plain = true }) do
      lines[#lines + 1] = '    ' .. part
    end
  end
  if failure and UNASKED[failure.code] then
    lines[#lines + 1] = '    Here nobody is asked: t in :Ollama servers asks you.'
  end
  return checked.is_over and (failure and 'ERROR' or 'OK') or nil, lines
end

---@param report ollama.ServersReport
---@return string[]
local function lines_for(report)
  if report.failure then
    local failure = report.failure
    local text =
      require('ollama-remote.notice').one_line(require('ollama-remote.message').of(failure))
    return { ('- %s %s: %s'):format(verdict('ERROR'), failure.code, text) }
  end
  local lines = {}
  for _, checked in ipairs(report.servers) do
    local word, told = told_of(checked)
    told[1] = ('- %s%s'):format(word and verdict(word) .. ' ' or '', told[1])
    vim.list_extend(lines, told)
  end
  return lines
end

--- Lists the servers, and tests all of them at once; `on_change` is told whenever there is more to read.
---@param on_change fun()
---@return ollama.ServersReport
local function start(on_change)
  local rpc = require('ollama-remote.rpc')
  local report = { servers = {}, is_listed = false }
  rpc.request('servers.list', {}, function(failure, listed)
    report.failure, report.is_listed = failure, true
    for _, server in ipairs(listed and listed.servers or {}) do
      local checked = { server = server, steps = {}, is_over = false }
      table.insert(report.servers, checked)
      local options = { may_ask = false }
      require('ollama-remote.servers.test').run(server.name, options, function(trouble, steps)
        checked.failure, checked.steps, checked.is_over = trouble, steps, true
        on_change()
      end)
    end
    on_change()
  end)
  return report
end

--- Writes what is known into the report, in place of what was written there before.
---@param buffer integer
---@param place { mark?: integer, count: integer }
---@param lines string[]
local function write(buffer, place, lines)
  if not api.nvim_buf_is_valid(buffer) or #lines == 0 then
    return
  end
  local row
  if place.mark then
    row = api.nvim_buf_get_extmark_by_id(buffer, NAMESPACE, place.mark, {})[1]
  else
    for index, line in ipairs(api.nvim_buf_get_lines(buffer, 0, -1, false)) do
      row = line:find(COMING, 1, true) and index - 1 or row
    end
  end
  if not row then
    return
  end
  local modifiable = vim.bo[buffer].modifiable
  vim.bo[buffer].modifiable = true
  api.nvim_buf_set_lines(buffer, row, row + place.count, false, lines)
  vim.bo[buffer].modifiable = modifiable
  vim.bo[buffer].modified = false
  place.count = #lines
  place.mark =
    api.nvim_buf_set_extmark(buffer, NAMESPACE, row, 0, { id = place.mark, right_gravity = false })
end

local function check_headless()
  local report = start(function() end)
  vim.wait(HEADLESS_MS, function()
    return is_over(report)
  end, 20)
  if report.failure then
    return health.error(require('ollama-remote.message').of(report.failure))
  end
  for _, checked in ipairs(report.servers) do
    local word, lines = told_of(checked)
    health[word == 'OK' and 'ok' or 'error'](table.concat(lines, '\n'))
  end
end

function M.check()
  health.start('ollama-remote: servers')
  local host = require('ollama-remote.host')
  if not (host.is_built() and host.node()) then
    return health.info('The servers are not tested: the host cannot start')
  end
  if #api.nvim_list_uis() == 0 then
    return check_headless()
  end
  health.info(COMING)
  -- Neovim makes the report in the current buffer, when all checks are done.
  local buffer = api.nvim_get_current_buf()
  local place = { count = 1 }
  local report
  report = start(function()
    -- The host waits for this verb's answer.
    vim.schedule(function()
      write(buffer, place, lines_for(report))
    end)
  end)
end

return M
