-- The lists of chats, living and saved, as they are shown to be chosen from. What is done with the chosen one is not here.
local M = {}

local chats = require('ollama-remote.chats')
local rpc = require('ollama-remote.rpc')

--- How much of a saved chat is shown beside the list.
local PREVIEW_LINES = 200

local WIDTHS = { living = { 1, 30, 16, 16, 8 }, saved = { 30, 16, 16, 7 } }

---@param text string
---@param width integer
---@return string
local function cut(text, width)
  text = text:gsub('%s+', ' ')
  if vim.fn.strdisplaywidth(text) <= width then
    return text
  end
  while vim.fn.strdisplaywidth(text) >= width do
    text = vim.fn.strcharpart(text, 0, vim.fn.strchars(text) - 1)
  end
  return text .. '…'
end

---@param text string
---@param width integer
---@return string
local function fitted(text, width)
  text = cut(text, width)
  return text .. (' '):rep(width - vim.fn.strdisplaywidth(text))
end

--- A row that was found by its text: the line that was found takes the place of what else is known of the chat.
---@param title string
---@param when string
---@param match ollama.Match
---@return string
local function found_line(title, when, match)
  local parts = { fitted(title, WIDTHS.saved[1]), fitted(when, 14), match.text }
  return table.concat(parts, '  ')
end

---@param entry ollama.SavedChat
---@return string
local function note(entry)
  return entry.open == 'here' and 'open here'
    or entry.open == 'elsewhere' and 'open elsewhere'
    or ''
end

--- When it was last written, by which the list is sorted.
---@param entry ollama.SavedChat
---@param format string as |strftime()| takes it
---@return string
local function written(entry, format)
  return os.date(format, math.floor(entry.changed / 1000)) --[[@as string]]
end

---@param entry ollama.SavedChat
---@return string[]
local function saved_cells(entry)
  if entry.match then
    local when = entry.open and note(entry) or written(entry, '%Y-%m-%d')
    return { found_line(entry.title, when, entry.match) }
  end
  return {
    cut(entry.title, WIDTHS.saved[1]),
    cut(entry.model, WIDTHS.saved[2]),
    written(entry, '%Y-%m-%d %H:%M'),
    require('ollama-remote.amounts').size(entry.bytes),
    note(entry),
  }
end

---@param entry ollama.SavedChat
---@param callback ollama.ShowPreview
local function preview(entry, callback)
  local params = { file = entry.file, lines = PREVIEW_LINES, query = entry.query }
  rpc.request('saved.preview', params, function(failure, value)
    local text = failure and failure.message or value.text
    local lines = vim.split(text, '\n', { plain = true })
    callback(lines, 'markdown', not failure and value.marks or nil)
  end)
end

---@param does 'rename_entry'|'delete_entry'
---@return fun(entry: any, again: fun())
local function action(does)
  return function(entry, again)
    local saved = require('ollama-remote.saved')
    if entry.chat then
      return require('ollama-remote.message').whisper('That is for saved chats')
    elseif does == 'delete_entry' then
      saved.delete_entry(entry, again)
    else
      saved.rename_entry(entry, nil, again)
    end
  end
end

local ACTIONS = {
  { key = '<C-d>', name = 'to the trash', run = action('delete_entry') },
  { key = '<C-e>', name = 'rename', run = action('rename_entry') },
}

---@param query string
---@param on_batch fun(entries: any[])
---@param on_done fun(failure?: ollama.Error)
---@return fun()
local function saved_source(query, on_batch, on_done)
  return require('ollama-remote.saved.walks').list(query, function(entries)
    for _, entry in ipairs(entries) do
      entry.query = query ~= '' and query or nil
    end
    on_batch(entries)
  end, on_done)
end

--- Has one of the saved chats picked, newest first.
---@param options { title: string, query?: string }
---@param callback fun(entry: ollama.SavedChat)
function M.pick(options, callback)
  require('ollama-remote.choose').pick({
    title = options.title,
    kind = 'ollama-saved',
    source = saved_source,
    live = true,
    query = options.query,
    columns = saved_cells,
    widths = WIDTHS.saved,
    right = { [4] = true },
    preview = preview,
    actions = ACTIONS,
    on_choice = function(entry)
      if entry then
        callback(entry)
      end
    end,
  })
end

--- Has one of a few picked.
---@param entries ollama.SavedChat[]
---@param callback fun(entry: ollama.SavedChat)
function M.pick_of(entries, callback)
  require('ollama-remote.choose').pick({
    title = 'Several have this name',
    kind = 'ollama-saved',
    items = entries,
    columns = saved_cells,
    widths = WIDTHS.saved,
    right = { [4] = true },
    preview = preview,
    on_choice = function(entry)
      if entry then
        callback(entry)
      end
    end,
  })
end

---@class ollama.LivingRow
---@field chat ollama.Chat
---@field found? ollama.SavedChat its file, when it was found there by its text

---@param chat ollama.Chat
---@return string
local function mark(chat)
  if chat.state.phase == 'waiting' then
    return '○'
  elseif chat.state.phase ~= 'idle' or #chat.pending > 0 then
    return '●'
  end
  return require('ollama-remote.saved.save').is_unsaved(chat) and '+' or ''
end

---@param row ollama.LivingRow
---@return string[]
local function living_cells(row)
  local chat = row.chat
  local turns = #chat.outline.turns
  local title = require('ollama-remote.saved.save').name_of(chat)
  local phase = require('ollama-remote.transcript.phase').words[chat.state.phase]
  if row.found then
    return { fitted(mark(chat), 1) .. '  ' .. found_line(title, phase or 'living', row.found.match) }
  end
  return {
    mark(chat),
    cut(title ~= '' and title or 'New chat', WIDTHS.living[2]),
    cut(chat.state.model or '', WIDTHS.living[3]),
    phase or 'living',
    ('%d turn%s'):format(turns, turns == 1 and '' or 's'),
  }
end

---@param row ollama.LivingRow|ollama.SavedChat
---@return string[]
local function cells(row)
  if row.chat then
    return living_cells(row)
  end
  local all = saved_cells(row)
  if row.match then
    return { '   ' .. all[1] }
  end
  table.insert(all, 1, '')
  return all
end

--- What a living chat is found by here. The text of one that has a file is searched there, with those of all others.
---@param chat ollama.Chat
---@return string
local function searched(chat)
  local name = require('ollama-remote.saved.save').name_of(chat)
  local text = not chat.state.file and require('ollama-remote.transcript').text(chat) or ''
  return (name .. '\n' .. text):lower()
end

---@param query string
---@return ollama.LivingRow[]
local function living(query)
  local words = vim.split(query:lower(), '%s+', { trimempty = true })
  local rows = {}
  for _, chat in ipairs(chats.living()) do
    local text = #words > 0 and searched(chat) or ''
    local fits = vim.iter(words):all(function(word)
      return text:find(word, 1, true) ~= nil
    end)
    if fits then
      rows[#rows + 1] = { chat = chat }
    end
  end
  return rows
end

--- The living chat that a saved one is, unless it is listed already.
---@param entry ollama.SavedChat
---@param listed ollama.LivingRow[]
---@return ollama.LivingRow?
local function living_of(entry, listed)
  for _, row in ipairs(listed) do
    if row.chat.state.file == entry.file then
      return nil
    end
  end
  for _, chat in ipairs(chats.living()) do
    if chat.state.file == entry.file then
      return { chat = chat, found = entry.match and entry }
    end
  end
end

--- All chats, the living ones first, then the saved ones; a living one whose text was found stands among these.
---@type ollama.Source
local function all_source(query, on_batch, on_done)
  local listed = living(query)
  on_batch(listed)
  return saved_source(query, function(entries)
    local rows = {}
    for _, entry in ipairs(entries) do
      rows[#rows + 1] = entry.open ~= 'here' and entry or living_of(entry, listed)
    end
    on_batch(rows)
  end, on_done)
end

--- Shows all chats; the chosen one is shown, or opened to be read.
function M.open()
  require('ollama-remote.choose').pick({
    title = 'Chats',
    kind = 'ollama-chats',
    source = all_source,
    live = true,
    columns = cells,
    widths = WIDTHS.living,
    right = { [5] = true },
    preview = function(row, callback)
      if row.found or not row.chat then
        return preview(row.found or row, callback)
      end
      local text = require('ollama-remote.transcript').text(row.chat, 0, PREVIEW_LINES)
      callback(vim.split(text, '\n', { plain = true }), 'markdown')
    end,
    actions = ACTIONS,
    on_choice = function(row)
      if row and row.chat then
        require('ollama-remote.saved.viewer').show_living(row.chat, row.found and row.found.match)
      elseif row then
        require('ollama-remote.saved.viewer').open(row.file, row.match)
      end
    end,
  })
end

return M
