-- What is kept of the secrets that were typed, told by their names. The secrets themselves never come here.
local M = {}

local message = require('ollama-remote.message')

---@param method 'secrets.remember'|'secrets.forget'
---@param tell fun(value: { names?: string[], place?: string }): string
local function ask_host(method, tell)
  require('ollama-remote.rpc').request(method, {}, function(failure, value)
    if failure then
      return message.tell(failure)
    end
    message.say(tell(value))
  end)
end

--- Keeps at rest what the session holds in memory.
function M.remember()
  ask_host('secrets.remember', function(value)
    if #(value.names or {}) == 0 then
      return 'There is nothing to keep: no passphrase or password was typed in this session'
    end
    local in_keyring = value.place == 'keyring'
    local place = in_keyring and "in the system's keyring"
      or 'encrypted in ' .. vim.fn.fnamemodify(value.place, ':~')
    return ('Kept %s: %s'):format(place, table.concat(value.names, ', '))
  end)
end

--- Removes everything: from memory, keyring and file.
function M.forget()
  ask_host('secrets.forget', function(value)
    if #(value.names or {}) == 0 then
      return 'There was nothing to forget: no passphrase and no password is kept'
    end
    return 'Forgotten: ' .. table.concat(value.names, ', ')
  end)
end

return M
