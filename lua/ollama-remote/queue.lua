-- The prompts that wait for the running answer, of which one can be taken back. They are drawn by phase.lua.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local session = require('ollama-remote.session')

---@class ollama.Queued
---@field prompt integer
---@field text string

---@param queued ollama.Queued
---@return string
local function first_line(queued)
  return vim.split(queued.text, '\n', { plain = true })[1]
end

--- Lets one be chosen, which comes back into the prompt; the host's answer to its sending brings it.
function M.pick()
  local chat = chats.current()
  session.request(chat, 'chat.queue', {}, function(queue)
    if #queue.prompts == 0 then
      return message.whisper('No prompt waits')
    end
    local options = { prompt = 'Take back', format_item = first_line }
    vim.ui.select(queue.prompts, options, function(queued)
      if queued then
        session.request(chat, 'chat.unqueue', { prompt = queued.prompt })
      end
    end)
  end)
end

return M
