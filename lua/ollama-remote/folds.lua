-- The closed folds of a transcript: a thinking that has ended, and the footers, which are too long to be concealed
-- (Neovim wraps a line as long as it was before concealing). Folds belong to windows, so a new window gets them anew.
local M = {}

local api = vim.api
local grammar = require('ollama-remote.grammar')

---@param first integer 0-based
---@param last integer 0-based
local function fold(first, last)
  vim.cmd(('noautocmd silent! %d,%dfold'):format(first + 1, last + 1))
end

--- Closes folds over the rows in one window, but opens the one that is being read there.
---@param window integer
---@param rows integer[][]
function M.close(window, rows)
  local row = api.nvim_win_get_cursor(window)[1] - 1
  api.nvim_win_call(window, function()
    for _, range in ipairs(rows) do
      fold(range[1], range[2])
      if row > range[1] and row <= range[2] then
        vim.cmd(('noautocmd silent! %dfoldopen'):format(range[1] + 1))
      end
    end
  end)
end

--- Makes all folds anew in all windows of the transcript.
---@param chat ollama.Chat
function M.redo(chat)
  for _, window in ipairs(vim.fn.win_findbuf(chat.buffers.transcript)) do
    api.nvim_win_call(window, function()
      vim.cmd('noautocmd silent! normal! zE')
      for _, range in ipairs(chat.outline.folds) do
        fold(range[1], range[2])
      end
    end)
  end
end

---@param first string
---@param last string
---@return string
local function thought(first, last)
  local boundary = grammar.parse(last)
  local seconds = boundary and boundary.seconds
  if seconds then
    return '▸ thought for ' .. grammar.duration(seconds)
  end
  return first:match('◆') and '▸ thought' or ('▸ ' .. first)
end

--- The 'foldtext' of a transcript.
---@return ollama.Chunks
function M.text()
  local first = vim.fn.getline(vim.v.foldstart)
  local boundary = grammar.parse(first)
  if boundary and vim.v.foldstart == vim.v.foldend then
    return require('ollama-remote.decoration').chunks(boundary)
  end
  return { { thought(first, vim.fn.getline(vim.v.foldend)), 'OllamaRemoteThinking' } }
end

return M
