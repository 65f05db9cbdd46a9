-- Sizes and spans of time in as few letters as a column has room for. Pure.
local M = {}

--- `20 GB` as Ollama's own list says it: decimal, two or three digits.
---@param bytes? number
---@return string
function M.size(bytes)
  if not bytes then
    return ''
  end
  local units = { 'B', 'KB', 'MB', 'GB', 'TB' }
  local unit = 1
  while bytes >= 1000 and unit < #units do
    bytes, unit = bytes / 1000, unit + 1
  end
  return ((bytes >= 10 or unit == 1) and '%.0f %s' or '%.1f %s'):format(bytes, units[unit])
end

--- `5 d`: how long ago, or how long until, in the largest unit that tells something.
---@param ms number
---@return string
function M.span(ms)
  local minutes = ms / 60000
  for _, unit in ipairs({
    { 525600, 'y' },
    { 60 * 24 * 60, 'mo' },
    { 60 * 24 * 14, 'w' },
    { 60 * 24, 'd' },
    { 60, 'h' },
    { 1, 'min' },
  }) do
    if minutes >= unit[1] then
      local of = unit[2] == 'mo' and 60 * 24 * 30 or unit[2] == 'w' and 60 * 24 * 7 or unit[1]
      return ('%d %s'):format(math.floor(minutes / of), unit[2])
    end
  end
  return 'now'
end

--- `4:12`, `1:05:00`.
---@param ms number
---@return string
function M.clock(ms)
  local seconds = math.max(0, math.ceil(ms / 1000))
  local hours, minutes = math.floor(seconds / 3600), math.floor(seconds / 60) % 60
  if hours > 0 then
    return ('%d:%02d:%02d'):format(hours, minutes, seconds % 60)
  end
  return ('%d:%02d'):format(minutes, seconds % 60)
end

return M
