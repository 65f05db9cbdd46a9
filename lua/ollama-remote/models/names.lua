-- What `server:model` means, however it is written. Pure.
local M = {}

--- With the tag that is meant when none stands there. Capitals of a model's name do not count.
---@param ref string
---@return string
local function whole(ref)
  local server, name = ref:match('^([^:]*):(.+)$')
  if not server then
    return ref
  end
  local tagged = name:match(':[^/:]+$') and name or name .. ':latest'
  return server .. ':' .. tagged:lower()
end

--- Whether both mean the same model.
---@param one? string
---@param other? string
---@return boolean
function M.is_same(one, other)
  return one ~= nil and other ~= nil and whole(one) == whole(other)
end

return M
