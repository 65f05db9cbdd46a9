-- Builds the host where the plugin came without it: npm ci, npm run build. Nothing waits for it.
local M = {}

---@class ollama.BuildStep
---@field title string
---@field command string[]

---@type ollama.BuildStep[]
M.steps = {
  -- The project's .npmrc keeps packages from running scripts.
  { title = 'installing packages (npm ci)', command = { 'npm', 'ci', '--include=dev' } },
  { title = 'building the host (npm run build)', command = { 'npm', 'run', 'build' } },
}

---@param step ollama.BuildStep
---@param said string
---@return ollama.Error
local function failed(step, said)
  local lines = vim.split(vim.trim(said), '\n')
  local last = table.concat(vim.list_slice(lines, math.max(1, #lines - 4)), '\n')
  return {
    code = 'BUILD_FAILED',
    message = ('%s failed:\n%s'):format(step.title, last),
    hint = ('Run it by hand in the folder of the plugin: %s'):format(
      table.concat(step.command, ' ')
    ),
  }
end

--- Runs the steps one after the other in `root`.
---@param root string
---@param on_step fun(title: string)
---@param on_end fun(failure: ollama.Error?)
function M.run(root, on_step, on_end)
  local function go(index)
    local step = M.steps[index]
    if not step then
      return on_end(nil)
    end
    on_step(step.title)
    local started, thrown = pcall(
      vim.system,
      step.command,
      { cwd = root, text = true },
      function(result)
        vim.schedule(function()
          if result.code == 0 then
            return go(index + 1)
          end
          on_end(failed(step, result.stderr .. result.stdout))
        end)
      end
    )
    if not started then
      on_end(failed(step, tostring(thrown)))
    end
  end
  go(1)
end

--- Shows where the build stands: as progress where Neovim knows it, else as a message.
---@param text string
---@param status 'running'|'success'|'failed'
---@param id? integer
---@return integer?
local function show(text, status, id)
  if vim.fn.has('nvim-0.12') == 0 then
    require('ollama-remote.message').say('ollama-remote: ' .. text)
    return nil
  end
  local ok, shown = pcall(vim.api.nvim_echo, { { text } }, true, {
    kind = 'progress',
    source = 'ollama-remote',
    title = 'ollama-remote',
    status = status,
    id = id,
  })
  return ok and shown or nil
end

---@type ollama.Callback[]?
local waiting = nil

---@param failure ollama.Error?
local function finish(failure)
  local callbacks = waiting or {}
  waiting = nil
  for _, callback in ipairs(callbacks) do
    callback(failure)
  end
end

---@param root string
local function build(root)
  local id
  M.run(root, function(title)
    id = show(title, 'running', id)
  end, function(failure)
    show(
      failure and 'the build failed' or 'the host is built',
      failure and 'failed' or 'success',
      id
    )
    finish(failure)
  end)
end

---@param root string
local function offer(root)
  require('ollama-remote.question').confirm({
    title = 'The host of ollama-remote.nvim is not built yet. Build it? (npm, about a minute)',
    yes = 'build it now',
    no = 'not now',
    on_yes = function()
      build(root)
    end,
    on_no = function()
      finish({
        code = 'HOST_NOT_BUILT',
        message = 'The host of ollama-remote.nvim is not built',
        hint = ('Run "make build" in %s'):format(root),
      })
    end,
  })
end

--- Calls back at once when the host is built; else offers to build it and calls back after.
---@param callback fun(failure: ollama.Error?)
function M.when_built(callback)
  local host = require('ollama-remote.host')
  if host.is_built() then
    return callback(nil)
  end
  if waiting then
    waiting[#waiting + 1] = callback
    return
  end
  waiting = { callback }
  vim.schedule(function()
    offer(host.root())
  end)
end

return M
