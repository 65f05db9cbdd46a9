-- The prompts that wait for the running answer, of which one can be taken back. They are drawn by phase.lua.
local M = {}

local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')
local session = require('ollama-remote.chat.session')

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
    require('ollama-remote.choose').pick({
      title = 'Take back',
      kind = 'ollama-queue',
      items = queue.prompts,
      columns = function(queued)
        return { first_line(queued) }
      end,
      preview = function(queued, callback)
        callback(vim.split(queued.text, '\n', { plain = true }), 'markdown')
      end,
      on_choice = function(queued)
        if queued then
          session.request(chat, 'chat.unqueue', { prompt = queued.prompt })
        end
      end,
    })
  end)
end

return M
