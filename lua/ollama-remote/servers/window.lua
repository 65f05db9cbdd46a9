-- The buffer and the window of the list of servers, as list_window.lua makes them. What stands in it is servers.lua's.
local M = {}

local list_window = require('ollama-remote.list_window')

--- Makes the buffer; the callbacks are called when it is shown and when it is hidden.
---@param on_show fun()
---@param on_hide fun()
---@return integer buffer
function M.new_buffer(on_show, on_hide)
  return list_window.new_buffer({
    name = 'ollama-servers://',
    filetype = 'ollama-servers',
    place = 'servers',
    on_show = on_show,
    on_hide = on_hide,
  })
end

---@param buffer integer
function M.open(buffer)
  list_window.open(buffer, math.max(4, math.min(14, math.floor(vim.o.lines / 2))))
end

---@type ollama.ListHint[]
local HINTS = {
  { action = 'server-connect', word = 'connect', rank = 1 },
  { action = 'server-disconnect', word = 'disconnect', rank = 2 },
  { action = 'server-test', word = 'test', rank = 1 },
  { action = 'server-add', word = 'add', rank = 1 },
  { action = 'server-edit', word = 'edit', rank = 1 },
  { action = 'server-remove', word = 'remove', rank = 2 },
  { action = 'server-default', word = 'default', rank = 3 },
  { action = 'server-refresh', word = 'refresh', rank = 3 },
  { action = 'service', word = 'service', rank = 4 },
  { action = 'server-close', word = 'close', rank = 3 },
  { action = 'help', word = 'keys', rank = 0 },
}

--- Says the keys over the list.
---@param shown integer
function M.dress(shown)
  list_window.dress(shown, HINTS)
end

return M
