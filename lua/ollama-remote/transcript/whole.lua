-- The whole transcript written anew: its end at once, what stands above it slice by slice, so that no chat is too long to
-- be opened; or from a turn on, where what stands above that stays. What is added at the end is transcript.lua's.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local decoration = require('ollama-remote.transcript.decoration')
local folds = require('ollama-remote.transcript.folds')
local transcript = require('ollama-remote.transcript')
local view = require('ollama-remote.transcript.view')

---@class ollama.Place where a window is to look when the whole is there
---@field view table
---@field from_end integer how many lines were below its cursor when it was set aside: who has moved since is left alone

---@class ollama.Drawing a transcript of which only the end is there yet
---@field places table<integer, ollama.Place> by window

---@param buffer integer
---@param first integer
---@param last integer
---@param lines string[]
local function write(buffer, first, last, lines)
  vim.bo[buffer].modifiable = true
  api.nvim_buf_set_lines(buffer, first, last, false, lines)
  vim.bo[buffer].modifiable = false
end

---@param window integer
---@param buffer integer
---@return integer
local function from_end(window, buffer)
  return api.nvim_buf_line_count(buffer) - api.nvim_win_get_cursor(window)[1]
end

--- The views of the windows that are not at the end.
---@param chat ollama.Chat
---@param buffer integer
---@param following integer[]
---@return table<integer, table>
local function views_of(chat, buffer, following)
  local awaited = chat.awaited
  local views = {}
  for _, window in ipairs(vim.fn.win_findbuf(buffer)) do
    if awaited and not awaited.at_end then
      views[window] = awaited
    elseif not vim.list_contains(following, window) then
      views[window] = api.nvim_win_call(window, vim.fn.winsaveview)
    end
  end
  return views
end

---@param window integer
---@param saved table a view, or what brings the window to a place
local function look(window, saved)
  if saved.look then
    return saved.look(window)
  end
  api.nvim_win_call(window, function()
    vim.fn.winrestview(saved)
  end)
end

--- Replaces the whole text; windows that were not at the end keep their place as far as there is one.
---@param chat ollama.Chat
---@param text string the end of it
---@param above integer how many lines come before it, each by `prepend`
---@return ollama.Written
function M.render(chat, text, above)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return { gone = true }
  end
  local unfinished = chat.drawing and chat.drawing.places or {}
  local following = view.followers(buffer)
  local views = views_of(chat, buffer, text == '' and {} or following)
  local lines, partial = {}, false
  if text ~= '' then
    lines, partial = transcript.to_lines(text)
    chat.awaited = nil
  end
  lines[#lines + 1] = ''
  folds.keep(chat)
  decoration.clear(chat)
  write(buffer, 0, -1, lines)
  chat.partial, chat.drawing = partial, above > 0 and { places = {} } or nil
  require('ollama-remote.highlights')
  require('ollama-remote.transcript.highlighter').fit(buffer, above)
  decoration.prepend(chat, lines, above == 0)
  local at_end = vim.tbl_filter(function(window)
    return above > 0 or not views[window]
  end, vim.fn.win_findbuf(buffer))
  if above == 0 then
    vim.iter(pairs(views)):each(look)
  end
  view.to_end(at_end)
  folds.restore(chat)
  view.fill(at_end)
  for window, saved in pairs(chat.drawing and views or {}) do
    local place = unfinished[window] or { view = saved, from_end = from_end(window, buffer) }
    chat.drawing.places[window] = place
  end
  require('ollama-remote.transcript.phase').place(chat)
  transcript.show(buffer)
  return { lines = #lines }
end

--- The whole is there: the windows look where they did.
---@param buffer integer
---@param places table<integer, ollama.Place>
local function finish(buffer, places)
  for window, place in pairs(places) do
    local there = api.nvim_win_is_valid(window) and api.nvim_win_get_buf(window) == buffer
    if there and from_end(window, buffer) == place.from_end then
      look(window, place.view)
    end
  end
end

--- Puts in what stands above all that is there. What belongs to a text that was replaced since is not wanted any more.
---@param chat ollama.Chat
---@param text string whole lines
---@param above integer how many lines are still to come
---@return ollama.Written
function M.prepend(chat, text, above)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer or not chat.drawing then
    return { gone = true }
  end
  local lines = transcript.to_lines(text)
  write(buffer, 0, 0, lines)
  local places = chat.drawing.places
  if above == 0 then
    chat.drawing = nil
  end
  folds.prepend(chat, decoration.prepend(chat, lines, above == 0))
  if above == 0 then
    finish(buffer, places)
  end
  return { lines = api.nvim_buf_line_count(buffer) }
end

--- Replaces all that stands from a row on; the windows look where they did.
---@param chat ollama.Chat
---@param text string
---@param row integer 0-based row of a turn's heading, or of the line below the last turn
---@param lines integer how many the buffer is thought to have
---@return ollama.Written|{ differs: true }
function M.amend(chat, text, row, lines)
  local buffer = chats.buffer(chat, 'transcript')
  if not buffer then
    return { gone = true }
  end
  if chat.drawing or row == 0 or api.nvim_buf_line_count(buffer) ~= lines then
    return { differs = true }
  end
  local following = view.followers(buffer)
  local views = views_of(chat, buffer, following)
  local kept = folds.cut(chat, row)
  decoration.cut(chat, row)
  write(buffer, row, -2, {})
  chat.partial = false
  local result = transcript.append(chat, text)
  folds.resume(chat, row, kept)
  vim.iter(pairs(views)):each(look)
  view.to_end(following)
  view.fill(following)
  transcript.show(buffer)
  return result
end

return M
