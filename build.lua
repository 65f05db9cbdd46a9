-- lazy.nvim runs this after installing and updating, in a coroutine and in any folder. The work is in the module.
local root = vim.fn.fnamemodify(debug.getinfo(1, 'S').source:sub(2), ':p:h')
local build = dofile(root .. '/lua/ollama-remote/build.lua')

local thread, is_main = coroutine.running()
local latest, finished, failure = 'building the host', false, nil

build.run(root, function(title)
  latest = title
end, function(problem)
  finished, failure = true, problem
end)

while thread and not is_main and not finished do
  coroutine.yield(latest)
end
if failure then
  error(failure.message .. '\n' .. failure.hint, 0)
end
