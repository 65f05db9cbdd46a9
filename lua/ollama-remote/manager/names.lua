-- Names of models and servers for completion in the command line: what is known, and the host is asked for the next time.
local M = {}

local rpc = require('ollama-remote.rpc')

---@type string[]
local names = {}
---@type string[]
local servers = {}

---@param candidates string[]
---@param lead string
---@return string[]
local function beginning_with(candidates, lead)
  return vim.tbl_filter(function(candidate)
    return vim.startswith(candidate, lead)
  end, candidates)
end

--- Asks for the names of models that can be pulled.
---@param callback? fun() when they are known, or cannot be
function M.load(callback)
  rpc.request('models.names', {}, function(failure, known)
    if not failure then
      local seen = {}
      names = vim.tbl_filter(function(name)
        local is_new = not seen[name]
        seen[name] = true
        return is_new
      end, vim.list_extend(known.installed, known.well_known))
    end
    if callback then
      callback()
    end
  end)
end

--- For `completion` of input(): names to pull, after a server's too, as in `gpu:qwen3:4b`.
---@param lead string
---@return string[]
function M.complete(lead)
  local found = beginning_with(names, lead)
  local server, rest = lead:match('^([^:]+:)(.*)$')
  if #found > 0 or not server then
    return found
  end
  return vim.tbl_map(function(name)
    return server .. name
  end, beginning_with(names, rest))
end

--- A name to pull without that of its server, which stands before it everywhere else; unless models are called so.
---@param name string
---@param server string
---@return string
function M.without_server(name, server)
  local prefix = server .. ':'
  local is_model = #beginning_with(names, prefix) > 0
  return not is_model and vim.startswith(name, prefix) and name:sub(#prefix + 1) or name
end

--- Installed models, as `server:model`: also those that hold no chats, where the list of models has shown them.
---@param lead string
---@return string[]
function M.complete_installed(lead)
  local refs = {}
  for _, ref in ipairs(require('ollama-remote.models.picker').known()) do
    refs[ref] = true
  end
  for _, server in pairs(require('ollama-remote.manager').view.servers) do
    for _, model in ipairs(server.models) do
      refs[model.ref] = (model.size or model.digest) and true or nil
    end
  end
  local all = vim.tbl_keys(refs)
  table.sort(all)
  return beginning_with(all, lead)
end

--- Names of servers: those that were listed, and those of the configuration that Lua has.
---@param lead string
---@return string[]
function M.complete_servers(lead)
  if rpc.is_running() then
    rpc.request('servers.list', {}, function(failure, listed)
      servers = failure and servers
        or vim.tbl_map(function(server)
          return server.name
        end, listed.servers)
    end)
  end
  local written = require('ollama-remote.config').written().servers
  local all = vim.deepcopy(servers)
  for name in vim.spairs(type(written) == 'table' and written or {}) do
    if not vim.list_contains(all, name) then
      all[#all + 1] = name
    end
  end
  return beginning_with(all, lead)
end

return M
