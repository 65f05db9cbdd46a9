-- Empty buffers with the names of ours, which a session of Neovim's (`:mksession`) leaves where the plugin's were shown.
local M = {}

local api = vim.api

--- The buffers of the plugin that are nobody's: neither a chat's nor a list's.
---@return integer[]
local function strays()
  return vim.tbl_filter(function(buffer)
    return api.nvim_buf_get_name(buffer):match('^ollama%-%a+://') ~= nil
      and vim.bo[buffer].buftype == ''
  end, api.nvim_list_bufs())
end

--- Removes them with their windows. One that somebody has written into is left alone.
function M.clear()
  for _, buffer in ipairs(strays()) do
    if not vim.bo[buffer].modified then
      api.nvim_buf_delete(buffer, { force = true })
    end
  end
end

return M
