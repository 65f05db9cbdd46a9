-- A list in fzf: in a tmux popup inside tmux, in a floating terminal elsewhere. Rows, previews and typed queries go through
-- fzf_channel.lua.
local M = {}

local channels = require('ollama-remote.choose.fzf_channel')
local message = require('ollama-remote.message')
local popup = require('ollama-remote.choose.fzf_popup')
local script = require('ollama-remote.choose.fzf_script')

--- Codes with which fzf ends when nothing fits, and when it is left.
local LEFT = { [0] = true, [1] = true, [129] = true, [130] = true, [143] = true }

---@param path string
---@return string? nil where there is no such file
local function read(path)
  local file = io.open(path, 'r')
  if not file then
    return nil
  end
  local text = file:read('*a')
  file:close()
  return text
end

---@param list ollama.List
---@param said string
local function close(list, said)
  local index, key, query = script.chosen(said, list.is_live)
  local action = vim.iter(list.actions):find(function(candidate)
    return script.key(candidate.key) == key
  end)
  list.try(function()
    list.meant(index, query, function(row)
      list.close(row, action)
    end)
  end)
end

--- What else a list can be shown with when fzf fails.
---@param list ollama.List
---@param why string
local function give_up(list, why)
  message.say(why .. ": Neovim's own list is used instead", 'warn')
  list.try(function()
    require('ollama-remote.choose.select').open(list)
  end)
end

---@param list ollama.List
---@param channel ollama.FzfChannel
local function show_in_float(list, channel)
  require('ollama-remote.choose.fzf_float').run(channel.folder .. '/run', list, function(code)
    local said = read(channel.folder .. '/chosen') or ''
    channel.close()
    if LEFT[code] then
      return close(list, said)
    end
    give_up(list, ('fzf ended with code %d'):format(code))
  end)
end

---@param list ollama.List
---@param channel ollama.FzfChannel
local function show_in_popup(list, channel)
  popup.run(channel.folder .. '/run', script.height(list), function()
    local said = read(channel.folder .. '/chosen')
    if not said then
      -- It was never begun: nobody looks at this tmux, or another popup stands there.
      return show_in_float(list, channel)
    end
    channel.close()
    close(list, said)
  end)
end

---@param list ollama.List
function M.open(list)
  local program = vim.fn.exepath('fzf')
  channels.open(list, function(folder)
    return script.run(list, folder, program)
  end, function(channel)
    if not channel then
      return give_up(list, 'fzf cannot be fed here')
    end
    popup.is_possible(function(is_possible)
      list.try(function()
        local show = is_possible and show_in_popup or show_in_float
        show(list, channel)
      end)
    end)
  end)
end

return M
