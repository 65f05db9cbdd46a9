-- What the host may have done in Neovim. Each verb is one call of nvim_exec_lua; its answer lets the host go on.
local M = {}

local chats = require('ollama-remote.chats')
local clean = require('ollama-remote.message').without_nulls

---@param id integer
---@param envelope table
---@return true
function M.reply(id, envelope)
  require('ollama-remote.rpc').reply(id, envelope)
  return true
end

---@param id integer
---@param text string
---@param above? integer
---@return ollama.Written
function M.render(id, text, above)
  local chat = chats.get(id)
  return chat and require('ollama-remote.transcript.whole').render(chat, text, above or 0)
    or { gone = true }
end

---@param id integer
---@param text string
---@param above integer
---@return ollama.Written
function M.prepend(id, text, above)
  local chat = chats.get(id)
  return chat and require('ollama-remote.transcript.whole').prepend(chat, text, above)
    or { gone = true }
end

---@param id integer
---@param text string
---@return ollama.Written
function M.append(id, text)
  local chat = chats.get(id)
  return chat and require('ollama-remote.transcript').append(chat, text) or { gone = true }
end

---@param id integer
---@param text string
---@param row integer
---@param lines integer
---@return ollama.Written|{ differs: true }
function M.amend(id, text, row, lines)
  local chat = chats.get(id)
  return chat and require('ollama-remote.transcript.whole').amend(chat, text, row, lines)
    or { gone = true }
end

---@param state table
---@return true
function M.state(state)
  local chat = chats.get(state.chat)
  if chat then
    require('ollama-remote.chat.session').set_state(chat, clean(state))
  end
  return true
end

---@param question table
---@return true
function M.ask(question)
  require('ollama-remote.ask').ask(clean(question))
  return true
end

---@param question integer
---@return true
function M.withdraw(question)
  require('ollama-remote.ask').withdraw(question)
  return true
end

---@param name string
---@param data table
---@return true
function M.event(name, data)
  require('ollama-remote.chat.events').tell('Ollama' .. name, clean(data))
  return true
end

---@param row table
---@return true
function M.server(row)
  -- Who never looked at the servers need not load what shows them.
  local servers = package.loaded['ollama-remote.servers']
  if servers then
    servers.update(clean(row))
  end
  return true
end

---@param rows table
---@return true
function M.model_rows(rows)
  local manager = package.loaded['ollama-remote.manager']
  if manager then
    manager.update(clean(rows))
  end
  return true
end

---@param row table
---@return true
function M.pull(row)
  local pull = clean(row)
  local absent = package.loaded['ollama-remote.chat.absent']
  local is_told = absent and absent.update(pull)
  require('ollama-remote.models.pulls').update(pull, is_told)
  local manager = package.loaded['ollama-remote.manager']
  if manager then
    manager.pull(pull)
  end
  return true
end

---@param walk integer
---@param step table
---@return true
function M.test_step(walk, step)
  require('ollama-remote.servers.test').add(walk, clean(step))
  return true
end

---@param walk integer
---@param entries table[]
---@return true
function M.saved_found(walk, entries)
  require('ollama-remote.saved.walks').found(walk, clean(entries))
  return true
end

---@param level 'info'|'warn'|'error'
---@param text string
---@return true
function M.notify(level, text)
  require('ollama-remote.message').say(text, level)
  return true
end

return M
