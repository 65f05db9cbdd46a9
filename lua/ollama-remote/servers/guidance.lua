-- What can be done at once about a server that is down: the keys for what fits the case, the same in both lists. Pure. Why it
-- is down, and how to mend it, is said by its failure.
local M = {}

--- Failures behind a sound way, of which the service may be the cause: it does not run, listens elsewhere, or is another.
local OF_THE_SERVICE = {
  API_UNAVAILABLE = true,
  API_PROTOCOL = true,
  API_INCOMPLETE = true,
  API_ERROR = true,
}

---@param action string
---@param words string
---@return string?
local function by_key(action, words)
  local lhs = require('ollama-remote.keys').of(action)
  return lhs and ('%s %s'):format(lhs, words)
end

--- A sentence of its own: a hint may end with a command, to which no word is to be added.
---@param failure ollama.Error
---@param server { name: string, has_ssh: boolean }
---@param place 'servers'|'models'
---@return string
function M.of(failure, server, place)
  local is_for_models = place == 'models'
  local parts = { by_key(is_for_models and 'models-refresh' or 'server-refresh', 'tries again') }
  if server.has_ssh and OF_THE_SERVICE[failure.code] then
    parts[#parts + 1] = by_key('service', 'looks at the service')
      or (':Ollama service %s looks'):format(server.name)
  elseif vim.startswith(failure.code, 'SSH_') then
    parts[#parts + 1] = is_for_models and ':Ollama servers tests the way'
      or by_key('server-test', 'tests the way')
  end
  return table.concat(parts, ' · ') .. (#parts > 0 and '.' or '')
end

return M
