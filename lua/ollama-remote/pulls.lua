--- The pulls as the host tells them: whoever shows them asks here. Nothing is shown here.
local M = {}

---@type table<string, table> by server and model
local rows = {}

---@param row table one pull as it stands now
function M.update(row)
  rows[row.server .. ':' .. row.model] = row
end

---@return table[] in no order; what has ended stays until it is pulled again
function M.list()
  return vim.tbl_values(rows)
end

return M
