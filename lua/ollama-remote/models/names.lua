-- What `server:model` means, however it is written, and how it is written where there is little room. Pure.
local M = {}

local columns = require('ollama-remote.columns')

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

--- A name that does not fit keeps its tag: by that are told apart which begin alike.
---@param name string
---@param width integer
---@return string
function M.shortened(name, width)
  local tag = name:match(':[^:/]*$') or ''
  if tag == ':latest' or columns.width(tag) * 2 > width then
    tag = ''
  end
  return columns.cut(name:sub(1, #name - #tag), width - columns.width(tag)) .. tag
end

return M
