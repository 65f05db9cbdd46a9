-- What the host is told so that a link is up when it is needed: a prompt is begun, the editor has got the focus.
-- What comes of it is a status; nothing here waits or complains.
local M = {}

local rpc = require('ollama-remote.rpc')

--- Some window managers tell of focus with every move of the mouse.
local FOCUS_EVERY_MS = 3000

--- The model that the host was told of, by chat.
---@type table<integer, string>
local told = {}

local focused_at = -FOCUS_EVERY_MS

local function ignore() end

--- Once for each chat and model.
---@param chat ollama.Chat
function M.prompt_begun(chat)
  local model = chat.state.model
  if not chat.known or not model or told[chat.id] == model then
    return
  end
  told[chat.id] = model
  rpc.request('editor.prompt', { chat = chat.id, model = model }, ignore)
end

rpc.when_gone(function()
  told = {}
end)

vim.api.nvim_create_autocmd('FocusGained', {
  group = vim.api.nvim_create_augroup('ollama-remote.link', { clear = true }),
  callback = function()
    local now = vim.uv.now()
    if rpc.info() and now - focused_at >= FOCUS_EVERY_MS then
      focused_at = now
      rpc.request('editor.focus', {}, ignore)
    end
  end,
})

return M
