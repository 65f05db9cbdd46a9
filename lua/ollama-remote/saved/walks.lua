-- The lists of saved chats while they come from the host in batches: who waits for which. What is done with them is
-- saved.lua's.
local M = {}

local rpc = require('ollama-remote.rpc')

---@class ollama.SavedChat
---@field file string without the folder
---@field title string
---@field model string
---@field created string `YYYY-MM-DD HH:MM:SS`
---@field changed number milliseconds since the epoch
---@field bytes integer
---@field open? 'here'|'elsewhere' whether it is a living chat, of this Neovim or of another
---@field match? ollama.Match where in the text it was found
---@field query? string what it was found with

---@class ollama.Match
---@field line integer from 1
---@field text string the line, or what of a long one stands around the word
---@field column integer in bytes

---@type table<integer, fun(entries: ollama.SavedChat[])>
local waiting = {}
local last_walk = 0

--- What is known to be there, by file.
---@type table<string, ollama.SavedChat>
local seen = {}

--- What the walks through all of them have found so far, and when one was through last, in milliseconds of the loop's time.
---@type table<integer, table<string, ollama.SavedChat>>
local through_all = {}
local listed_at

--- So old may a list be that names are completed from.
local LIST_MS = 5000

local function ignore() end

--- Lists the saved chats, newest first; with a query those in which all its words stand.
---@param query? string
---@param on_entries fun(entries: ollama.SavedChat[])
---@param on_end fun(failure?: ollama.Error) called once, unless the list was ended
---@return fun() end_it
function M.list(query, on_entries, on_end)
  last_walk = last_walk + 1
  local walk = last_walk
  waiting[walk] = on_entries
  if not query or query == '' then
    query, through_all[walk] = nil, {}
  end
  rpc.request('saved.list', { walk = walk, query = query }, function(failure)
    if through_all[walk] and not failure then
      seen, listed_at = through_all[walk], vim.uv.now()
    end
    through_all[walk] = nil
    if waiting[walk] then
      waiting[walk] = nil
      on_end(failure)
    end
  end)
  return function()
    if waiting[walk] then
      waiting[walk] = nil
      rpc.request('saved.cancel', { walk = walk }, ignore)
    end
  end
end

--- Some of a list's entries.
---@param walk integer
---@param entries ollama.SavedChat[]
function M.found(walk, entries)
  for _, entry in ipairs(entries) do
    seen[entry.file] = entry
    if through_all[walk] then
      through_all[walk][entry.file] = entry
    end
  end
  if waiting[walk] then
    waiting[walk](entries)
  end
end

--- Names for completion, newest first, as they were listed last: what a chat is called, or where several are called so its
--- file. When that was long ago, they are listed for the next time.
---@return string[]
function M.known()
  if next(through_all) == nil and (not listed_at or vim.uv.now() - listed_at > LIST_MS) then
    M.list(nil, ignore, ignore)
  end
  local entries, called = vim.tbl_values(seen), {}
  for _, entry in ipairs(entries) do
    called[entry.title] = (called[entry.title] or 0) + 1
  end
  table.sort(entries, function(one, other)
    return one.changed > other.changed
  end)
  return vim.tbl_map(function(entry)
    return called[entry.title] == 1 and entry.title or (entry.file:gsub('%.txt$', ''))
  end, entries)
end

--- Whether a name means this chat: its file's name, with or without the ending, or its title.
---@param entry ollama.SavedChat
---@param name string
---@return boolean
local function is_called(entry, name)
  return entry.file == name or entry.file == name .. '.txt' or entry.title == name
end

--- Finds the saved chats of a name. A file's name means one, and no more are looked for.
---@param name string
---@param callback fun(failure: ollama.Error?, found: ollama.SavedChat[])
function M.find(name, callback)
  local found, give_up = {}, nil
  give_up = M.list(nil, function(entries)
    for _, entry in ipairs(entries) do
      if is_called(entry, name) then
        found[#found + 1] = entry
        if entry.title ~= name then
          give_up()
          return callback(nil, { entry })
        end
      end
    end
  end, function(failure)
    callback(failure, found)
  end)
end

return M
