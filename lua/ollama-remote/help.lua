-- The keys, as a float: those inside a chat from their table, those outside as they are mapped now.
local M = {}

local api = vim.api

--- The keys by which an action can be called from anywhere, whoever mapped them.
---@return { lhs: string, desc: string }[]
local function global_keys()
  local found = {}
  for _, mode in ipairs({ 'n', 'x' }) do
    for _, map in ipairs(api.nvim_get_keymap(mode)) do
      local action = (map.rhs or ''):match('^<Plug>%(ollama%-(.-)%)$')
      if action then
        local plug = vim.fn.maparg(map.rhs, mode, false, true)
        -- A leader that is a space would be invisible.
        found[map.lhs] = {
          lhs = (map.lhs:gsub(' ', '<Space>')),
          desc = (plug.desc or action):gsub('^Ollama: ', ''),
        }
      end
    end
  end
  local keys = vim.tbl_values(found)
  table.sort(keys, function(a, b)
    return a.lhs < b.lhs
  end)
  return keys
end

---@param buffer? integer
---@param where ollama.Place[]
---@return { lhs: string, desc: string }[]
local function local_keys(buffer, where)
  local rows = {}
  for _, key in ipairs(buffer and require('ollama-remote.keys').table or {}) do
    for _, map in ipairs(api.nvim_buf_get_keymap(buffer, key.modes[#key.modes])) do
      if map.desc == 'Ollama: ' .. key.desc and vim.deep_equal(key.where, where) then
        rows[#rows + 1] = { lhs = map.lhs, desc = key.desc }
      end
    end
  end
  return rows
end

--- Puts the keys of one meaning into one row.
---@param rows { lhs: string, desc: string }[]
---@return string[]
local function merged(rows)
  local order, keys = {}, {}
  for _, row in ipairs(rows) do
    if not keys[row.desc] then
      keys[row.desc] = {}
      order[#order + 1] = row.desc
    end
    if not vim.list_contains(keys[row.desc], row.lhs) then
      table.insert(keys[row.desc], row.lhs)
    end
  end
  return vim.tbl_map(function(desc)
    local lhs = table.concat(keys[desc], ' ')
    return ('  %s%s%s'):format(lhs, (' '):rep(math.max(1, 11 - vim.fn.strdisplaywidth(lhs))), desc)
  end, order)
end

---@return string[]
local function lines()
  local chats = require('ollama-remote.chats')
  local chat = chats.current()
  local all = {}
  local function section(title, rows)
    if #rows > 0 then
      all[#all + 1] = title
      vim.list_extend(all, merged(rows))
    end
  end
  if vim.bo.filetype == 'ollama-servers' then
    section('In the list of servers', local_keys(api.nvim_get_current_buf(), { 'servers' }))
  elseif chat then
    local prompt, transcript = chats.buffer(chat, 'prompt'), chats.buffer(chat, 'transcript')
    section('In the prompt', local_keys(prompt, { 'prompt' }))
    section('In the transcript', local_keys(transcript, { 'transcript' }))
    section('In both', local_keys(prompt, { 'prompt', 'transcript' }))
  end
  section('Everywhere', global_keys())
  return all
end

--- Opens the float; `q`, `<Esc>` or leaving it closes it.
function M.open()
  local text = lines()
  local width = 0
  for _, line in ipairs(text) do
    width = math.max(width, vim.fn.strdisplaywidth(line))
  end
  width = math.min(width + 1, vim.o.columns - 4)
  local height = math.min(#text, vim.o.lines - 3)
  local buffer = api.nvim_create_buf(false, true)
  vim.bo[buffer].bufhidden = 'wipe'
  api.nvim_buf_set_lines(buffer, 0, -1, false, text)
  vim.bo[buffer].modifiable = false
  local window = api.nvim_open_win(buffer, true, {
    relative = 'editor',
    row = math.max(0, math.floor((vim.o.lines - height) / 2) - 1),
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
    style = 'minimal',
    border = 'rounded',
    title = ' ollama-remote: keys · q closes ',
  })
  local function close()
    if api.nvim_win_is_valid(window) then
      api.nvim_win_close(window, true)
    end
  end
  for _, lhs in ipairs({ 'q', '<Esc>', 'g?' }) do
    vim.keymap.set('n', lhs, close, { buffer = buffer, nowait = true })
  end
  api.nvim_create_autocmd(
    'WinLeave',
    { buffer = buffer, once = true, callback = vim.schedule_wrap(close) }
  )
end

return M
