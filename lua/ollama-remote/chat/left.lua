-- The chats that Neovims which are gone have left over: told of once, and taken up again. What is in them is the host's.
local M = {}

local message = require('ollama-remote.message')
local rpc = require('ollama-remote.rpc')

---@class ollama.LeftOver
---@field key string
---@field title string
---@field model? string
---@field turns integer
---@field last string the last prompt or draft, as one line
---@field changed integer milliseconds since the epoch

---@type table<string, integer>
local UNITS = { { 86400, 'day' }, { 3600, 'hour' }, { 60, 'minute' } }

---@param count integer
---@param word string
---@return string
local function counted(count, word)
  return ('%d %s%s'):format(count, word, count == 1 and '' or 's')
end

---@param changed integer
---@return string
local function age(changed)
  local seconds = os.time() - math.floor(changed / 1000)
  for _, unit in ipairs(UNITS) do
    if seconds >= unit[1] then
      return counted(math.floor(seconds / unit[1]), unit[2]) .. ' ago'
    end
  end
  return 'just now'
end

---@param left ollama.LeftOver
---@return string[]
local function columns(left)
  local last = left.last ~= left.title and left.last or ''
  return { left.title, age(left.changed), counted(left.turns, 'turn'), left.model or '', last }
end

---@param left ollama.LeftOver
local function recover(left)
  local shown = require('ollama-remote.ui').shown_here()
  local chat = require('ollama-remote.chats').new()
  chat.recovers = left.key
  require('ollama-remote.chat').show(chat)
  require('ollama-remote.chat.session').when_known(chat, function(failure)
    if not failure then
      require('ollama-remote.chat.ending').drop_blank(shown)
      return message.whisper('The chat goes on where it was left')
    end
    chat.recovers = nil
    message.tell(failure)
  end)
end

--- Moves one to the trash, when it is confirmed.
---@param left ollama.LeftOver
---@param on_end? fun()
local function throw_away(left, on_end)
  local function drop()
    rpc.request('left.drop', { key = left.key }, function(failure, dropped)
      if failure then
        return message.tell(failure)
      end
      message.say(
        dropped.gone and 'It is in the trash; :Ollama undo-clear brings it back as a saved chat'
          or 'It was left over no more'
      )
      if on_end then
        on_end()
      end
    end)
  end
  require('ollama-remote.question').confirm({
    title = ('Move "%s" to the trash?'):format(left.title),
    yes = 'move it',
    no = 'keep it',
    loses = true,
    on_yes = drop,
  })
end

--- Lists what was left over, and has one of them taken up; or moved to the trash, for whoever has a list without keys.
---@param throws_away? boolean
function M.pick(throws_away)
  rpc.request('left.list', {}, function(failure, left)
    if failure then
      return message.tell(failure)
    end
    if #left.chats == 0 then
      return message.whisper('No chat was left over')
    end
    require('ollama-remote.choose').pick({
      title = throws_away and 'Move what was left over to the trash' or 'Recover',
      kind = 'ollama-left-over',
      items = left.chats,
      columns = columns,
      right = { [3] = true },
      actions = { { key = '<C-d>', name = 'to the trash', run = throw_away } },
      on_choice = function(chosen)
        if chosen then
          local run = throws_away and throw_away or recover
          run(chosen)
        end
      end,
    })
  end)
end

--- Tells once of what was left over.
function M.mention()
  rpc.request('left.list', {}, function(failure, left)
    local count = not failure and #left.chats or 0
    if count > 0 then
      local what = count == 1 and '1 chat was left over' or count .. ' chats were left over'
      message.say(what .. ' by a Neovim that ended: :Ollama recover')
    end
  end)
end

return M
