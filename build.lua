-- Builds the host after installing and updating. lazy.nvim runs this by itself, in a coroutine and in any folder; others
-- by a hook of the user's (see the README). The work is in the module.
local root = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h')
local build = dofile(root .. '/lua/ollama-remote/build.lua')

local thread, is_main = coroutine.running()
local in_coroutine = thread and not is_main
local latest, finished, failure = 'building the host', false, nil

build.run(root, function(title)
  latest = title
end, function(problem)
  finished, failure = true, problem
  if problem and not in_coroutine then
    vim.notify(problem.message .. '\n' .. problem.hint, vim.log.levels.ERROR)
  end
end)

while in_coroutine and not finished do
  coroutine.yield(latest)
end
if in_coroutine and failure then
  error(failure.message .. '\n' .. failure.hint, 0)
end
