-- Going to the file that a text names, in a window outside the chat. Nothing is run: a name is only looked up.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')
local message = require('ollama-remote.message')

--- What marks a project's root.
local ROOTS = { '.git', '.hg', '.jj', '.svn' }

---@param chat? ollama.Chat
---@return integer? window outside the chat from which it was opened
local function origin_of(chat)
  local origin = chat and chat.origin
  local there = origin and api.nvim_win_is_valid(origin)
  return there and not chats.of_buffer(api.nvim_win_get_buf(origin)) and origin or nil
end

--- The folders that a relative path may be meant from.
---@param chat? ollama.Chat
---@return string[]
local function folders(chat)
  local found = {}
  local function add(folder)
    if folder and folder ~= '' and not vim.list_contains(found, folder) then
      found[#found + 1] = folder
    end
  end
  local cwd = vim.fn.getcwd()
  add(cwd)
  add(vim.fs.root(cwd, ROOTS))
  local origin = origin_of(chat)
  local buffer = origin and api.nvim_win_get_buf(origin)
  if buffer and vim.bo[buffer].buftype == '' and api.nvim_buf_get_name(buffer) ~= '' then
    local file = api.nvim_buf_get_name(buffer)
    add(vim.fs.dirname(file))
    add(vim.fs.root(file, ROOTS))
  end
  return found
end

--- Diffs name files as `a/path` and `b/path`.
---@param path string
---@return string[]
local function spellings(path)
  local rest = path:match('^[ab]/(.+)$')
  return rest and { path, rest } or { path }
end

---@param path string
---@param bases string[]
---@return string? file an absolute path
local function find(path, bases)
  local home = path:match('^~/(.+)$')
  if home then
    path = vim.fs.joinpath(vim.uv.os_homedir(), home)
  end
  for _, base in ipairs(path:sub(1, 1) == '/' and { '' } or bases) do
    for _, spelling in ipairs(spellings(path)) do
      local file = base == '' and spelling or vim.fs.joinpath(base, spelling)
      local stat = #file < 4096 and vim.uv.fs_stat(file)
      if stat and stat.type == 'file' then
        return vim.uv.fs_realpath(file) or file
      end
    end
  end
end

--- The first place that there is.
---@param places ollama.Place[]
---@param bases string[]
---@return string? file
---@return ollama.Place? place
local function first_found(places, bases)
  for _, place in ipairs(places) do
    local file = not place.path:find('%z') and find(place.path, bases)
    if file then
      return file, place
    end
  end
end

--- Where files are shown: where the chat was opened from, else another window, else a new one.
---@param chat? ollama.Chat
---@return integer
local function window_for_files(chat)
  local origin = origin_of(chat)
  if origin and not vim.wo[origin].winfixbuf then
    return origin
  end
  for _, window in ipairs(api.nvim_tabpage_list_wins(0)) do
    local buffer = api.nvim_win_get_buf(window)
    local ordinary = vim.bo[buffer].buftype == '' and not vim.wo[window].winfixbuf
    if ordinary and api.nvim_win_get_config(window).relative == '' then
      return window
    end
  end
  local window =
    api.nvim_open_win(api.nvim_create_buf(true, false), false, { split = 'left', win = -1 })
  if chat then
    chat.origin = window
  end
  return window
end

---@param window integer
---@param file string
---@param split boolean
local function open(window, file, split)
  local buffer = vim.fn.bufadd(file)
  vim.bo[buffer].buflisted = true
  api.nvim_set_current_win(window)
  if split then
    return api.nvim_open_win(buffer, true, { split = 'above', win = window })
  end
  vim.cmd("normal! m'")
  -- By its number, since a name would be expanded. Fails where a changed buffer must not be left.
  if not pcall(vim.cmd.buffer, buffer) then
    api.nvim_open_win(buffer, true, { split = 'above', win = window })
  end
end

---@param place ollama.Place
local function go_to(place)
  if not place.line then
    return
  end
  local line = math.max(1, math.min(place.line, api.nvim_buf_line_count(0)))
  api.nvim_win_set_cursor(0, { line, math.max(0, (place.column or 1) - 1) })
  vim.cmd('normal! zvzz')
end

--- Opens the file that is named under the cursor, at its line, outside the chat.
---@param split boolean in a window of its own
function M.follow(split)
  local chat = chats.of_buffer(api.nvim_get_current_buf())
  local column = api.nvim_win_get_cursor(0)[2]
  local places = require('ollama-remote.transcript.place').at(api.nvim_get_current_line(), column)
  local bases = folders(chat)
  local file, place = first_found(places, bases)
  if not file or not place then
    local shortest = places[1] and places[1].path
    for _, candidate in ipairs(places) do
      shortest = #candidate.path < #shortest and candidate.path or shortest
    end
    local short = vim.tbl_map(function(folder)
      return vim.fn.fnamemodify(folder, ':~')
    end, bases)
    return message.say(
      shortest and ('No file "%s" in %s'):format(shortest, table.concat(short, ', '))
        or 'No path is under the cursor',
      'warn'
    )
  end
  local shown = api.nvim_get_current_win()
  local window = window_for_files(chat)
  if api.nvim_win_get_config(shown).relative ~= '' and chat then
    -- A float would stand over what it leads to.
    require('ollama-remote.ui').hide(chat)
  end
  open(window, file, split)
  go_to(place)
end

return M
