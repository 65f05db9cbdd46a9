-- A look at the service of Ollama on a server's machine: asked for, agreed to, shown with what to do next. What is run there
-- is the host's, one fixed command that only reads.
local M = {}

local message = require('ollama-remote.message')

--- The server that is meant when none is named: that of the chat, or the only one whose name is known.
---@return string?
local function meant()
  local chat = require('ollama-remote.chats').current()
  local state = chat and chat.state or {}
  return state.waiting and state.waiting.server or state.model and state.model:match('^([^:]+):')
end

---@param server string
---@param look { lines: string[], advice: string[] }
local function show(server, look)
  local buffer = vim.api.nvim_create_buf(false, true)
  local lines = vim.list_extend(vim.list_slice(look.advice), { '' })
  vim.list_extend(lines, look.lines)
  vim.api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modifiable = false
  vim.api.nvim_buf_set_name(buffer, ('ollama-service://%s/%d'):format(server, buffer))
  local close = require('ollama-remote.list_window').close
  vim.keymap.set('n', 'q', close, { buffer = buffer, nowait = true, desc = 'Ollama: close' })
  vim.cmd(('botright %dsplit'):format(math.min(#lines + 1, 15)))
  vim.api.nvim_win_set_buf(0, buffer)
end

---@param server string
local function look(server)
  message.whisper(('Looking at the service on %s …'):format(server))
  local params = { server = server }
  require('ollama-remote.rpc').request('service.look', params, function(failure, found)
    if failure then
      return message.tell(failure)
    end
    show(server, found)
  end)
end

--- Looks at a server's service, once the person has agreed.
---@param server? string without one, that of the chat
function M.look(server)
  server = server or meant()
  if not server then
    return message.whisper('Which server? :Ollama service NAME')
  end
  require('ollama-remote.question').confirm({
    title = ('Look at the service of Ollama on %s?'):format(server),
    yes = 'run `systemctl status ollama` there over SSH: it only reads',
    no = 'leave it',
    on_yes = function()
      look(server)
    end,
  })
end

--- Looks at the service of the server under the cursor of a list; elsewhere, at that of the chat.
function M.look_here()
  local manager, servers = require('ollama-remote.manager'), require('ollama-remote.servers')
  if not manager.is_current() and not servers.is_current() then
    return M.look()
  end
  local line, server = manager.under_cursor(), servers.under_cursor()
  local name = line and line.server or server and server.name
  if name then
    return M.look(name)
  end
  message.whisper('There is no server under the cursor')
end

return M
