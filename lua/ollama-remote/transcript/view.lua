-- Where the windows of a transcript look: which of them follow its end, and how they are brought there.
local M = {}

local api = vim.api

---@param buffer integer
---@return integer[] windows whose cursor is on the last line
function M.followers(buffer)
  local last = api.nvim_buf_line_count(buffer)
  return vim.tbl_filter(function(window)
    return api.nvim_win_get_cursor(window)[1] >= last
  end, vim.fn.win_findbuf(buffer))
end

--- Puts the cursor on the last line, which Neovim then keeps in sight.
---@param windows integer[]
function M.to_end(windows)
  for _, window in ipairs(windows) do
    local last = api.nvim_buf_line_count(api.nvim_win_get_buf(window))
    api.nvim_win_set_cursor(window, { last, 0 })
  end
end

--- Scrolls so that the last line is at the bottom: what a fold hid would else leave empty rows there.
---@param windows integer[]
function M.fill(windows)
  for _, window in ipairs(windows) do
    api.nvim_win_call(window, function()
      vim.cmd('noautocmd normal! zb')
    end)
  end
end

return M
