-- The keys inside the plugin's own buffers, as one table: the maps and the help both come from it.
local M = {}

---@alias ollama.Place 'prompt'|'transcript'|'viewer'|'servers'|'models' a viewer has the transcript's keys that only read, too

---@class ollama.Key
---@field action string the name in `<Plug>(ollama-…)` and in the option `keymaps`
---@field lhs string
---@field modes string[]
---@field where ollama.Place[]
---@field desc string

---@type ollama.Key[]
M.table = {
  { action = 'send', lhs = '<CR>', modes = { 'n' }, where = { 'prompt' }, desc = 'send' },
  {
    action = 'send',
    lhs = '<C-s>',
    modes = { 'n', 'i' },
    where = { 'prompt' },
    desc = 'send, also in insert mode',
  },
  {
    action = 'stop',
    lhs = '<C-c>',
    modes = { 'n', 'i' },
    where = { 'prompt', 'transcript' },
    desc = 'stop the answer, or give up editing a turn',
  },
  {
    action = 'help',
    lhs = 'g?',
    modes = { 'n' },
    where = { 'prompt', 'transcript' },
    desc = 'these keys',
  },
  {
    action = 'next-turn',
    lhs = ']]',
    modes = { 'n', 'x' },
    where = { 'transcript' },
    desc = 'next turn',
  },
  {
    action = 'previous-turn',
    lhs = '[[',
    modes = { 'n', 'x' },
    where = { 'transcript' },
    desc = 'previous turn',
  },
  {
    action = 'edit',
    lhs = 'ge',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'take the turn into the prompt, to replace it',
  },
  {
    action = 'again',
    lhs = 'gr',
    modes = { 'n' },
    where = { 'prompt', 'transcript' },
    desc = 'ask the last question again',
  },
  {
    action = 'resume',
    lhs = 'gR',
    modes = { 'n' },
    where = { 'prompt', 'transcript' },
    desc = 'go on with an answer that was cut, or try its server now',
  },
  {
    action = 'yank',
    lhs = 'gy',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'yank the code block',
  },
  {
    action = 'undo',
    lhs = 'u',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'earlier version',
  },
  {
    action = 'redo',
    lhs = '<C-r>',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'later version',
  },
  {
    action = 'next-variant',
    lhs = ']v',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'next variant of the turn',
  },
  {
    action = 'previous-variant',
    lhs = '[v',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'previous variant of the turn',
  },
  {
    action = 'diff',
    lhs = 'gD',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'compare with the variant before',
  },
  {
    action = 'delete-turn',
    lhs = 'dd',
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'on a heading: take the turn out',
  },
}

for _, row in ipairs({
  {
    'pull-missing',
    'gP',
    { 'n' },
    { 'prompt', 'transcript' },
    'pull the model that is missing, and ask',
  },
  { 'yank-text', 'gY', { 'n' }, { 'transcript' }, "yank the turn's text" },
  { 'outline', 'gO', { 'n' }, { 'transcript' }, 'list the turns' },
  { 'follow', 'gf', { 'n' }, { 'prompt', 'transcript' }, 'to the file that is named here' },
  { 'follow', 'gF', { 'n' }, { 'prompt', 'transcript' }, 'to the file that is named here' },
  { 'follow-split', '<C-w>f', { 'n' }, { 'prompt', 'transcript' }, 'the same in a new window' },
  { 'inside-turn', 'io', { 'x', 'o' }, { 'transcript' }, "object: a turn's text" },
  { 'around-turn', 'ao', { 'x', 'o' }, { 'transcript' }, 'object: a whole turn' },
  { 'inside-code', 'ic', { 'x', 'o' }, { 'prompt', 'transcript' }, 'object: code' },
  { 'around-code', 'ac', { 'x', 'o' }, { 'prompt', 'transcript' }, 'object: code with its fence' },
}) do
  M.table[#M.table + 1] =
    { action = row[1], lhs = row[2], modes = row[3], where = row[4], desc = row[5] }
end

-- Whoever begins to write in the transcript means the prompt.
for _, lhs in ipairs({ 'i', 'a', 'o', 'I', 'A', 'O' }) do
  M.table[#M.table + 1] = {
    action = 'prompt',
    lhs = lhs,
    modes = { 'n' },
    where = { 'transcript' },
    desc = 'to the prompt',
  }
end

for _, row in ipairs({
  { 'take-up', '<CR>', 'go on with it as a living chat' },
  { 'viewer-close', 'q', 'close' },
}) do
  M.table[#M.table + 1] =
    { action = row[1], lhs = row[2], modes = { 'n' }, where = { 'viewer' }, desc = row[3] }
end

for _, row in ipairs({
  { 'server-connect', '<CR>', 'connect' },
  { 'server-disconnect', 'x', 'disconnect' },
  { 'server-test', 't', 'test the way to it, step by step' },
  { 'server-add', 'a', 'add a server' },
  { 'server-edit', 'e', 'change it' },
  { 'server-remove', 'dd', 'remove it' },
  { 'server-default', '*', 'make it the default' },
  { 'server-refresh', 'r', 'ask for all anew, and try again what is down' },
  { 'service', 'S', 'look at the service of Ollama there' },
  { 'server-close', 'q', 'close' },
  { 'help', 'g?', 'these keys' },
}) do
  M.table[#M.table + 1] =
    { action = row[1], lhs = row[2], modes = { 'n' }, where = { 'servers' }, desc = row[3] }
end

for _, row in ipairs({
  { 'models-show', '<CR>', 'all that is known of the model' },
  { 'models-pull', 'p', 'pull a model by its name' },
  { 'models-update', 'u', 'update the model, or the marked ones' },
  { 'models-update-all', 'U', 'update all that are out of date' },
  { 'models-check', 'c', 'check for updates' },
  { 'models-cancel', 'x', 'cancel the pull' },
  { 'models-cancel', '<C-c>', 'cancel the pull' },
  { 'models-mark', '<Tab>', 'mark it, or the selected ones, or take the marks away' },
  { 'models-mark', 'm', 'mark it, or the selected ones, or take the marks away' },
  { 'models-delete', 'dd', 'delete the model, or the marked ones' },
  { 'models-copy', 'y', 'copy the model under another name' },
  { 'models-load', 'L', 'load the model, or the marked ones' },
  { 'models-unload', 'X', 'unload the model, or the marked ones' },
  { 'models-keep', 'K', 'keep it, or the marked ones, in memory for a time' },
  { 'models-default', '*', 'make it the default' },
  { 'models-chat', 'o', 'begin a chat with the model' },
  { 'models-sort', 's', 'sort by name, size, age, loaded, update' },
  { 'models-filter', 'f', 'show only some of the models' },
  { 'models-refresh', 'r', 'ask all servers anew, and try again what is down' },
  { 'service', 'S', 'look at the service of Ollama there' },
  { 'models-close', 'q', 'close' },
  { 'help', 'g?', 'these keys' },
}) do
  M.table[#M.table + 1] = {
    action = row[1],
    lhs = row[2],
    modes = row[1] == 'models-mark' and { 'n', 'x' } or { 'n' },
    where = { 'models' },
    desc = row[3],
  }
end

--- The key that the user wants for a row; nil for none. All rows of an action move to the one key that is named.
---@param key ollama.Key
---@param wanted false|table<string, string|false>
---@return string?
local function wanted_lhs(key, wanted)
  local choice = wanted and wanted[key.action]
  if choice == nil or choice == true then
    return key.lhs
  end
  return choice or nil
end

--- Whether the user gave this row's default key to something else.
---@param key ollama.Key
---@param wanted false|table<string, string|false>
---@return boolean
local function is_taken(key, wanted)
  for action, lhs in pairs(wanted or {}) do
    if lhs == key.lhs and action ~= key.action and not wanted[key.action] then
      return true
    end
  end
  return false
end

--- The key of an action inside the plugin's buffers, as the user wants it; nil when there is none.
---@param action string
---@return string?
function M.of(action)
  local wanted = require('ollama-remote.config').resolved().keymaps
  for _, key in ipairs(M.table) do
    if key.action == action and not is_taken(key, wanted) then
      return wanted_lhs(key, wanted)
    end
  end
end

--- What asks, or changes what is asked, is for living chats.
local FOR_THE_LIVING = {
  stop = true,
  again = true,
  resume = true,
  ['pull-missing'] = true,
  edit = true,
  prompt = true,
  ['delete-turn'] = true,
}

---@param key ollama.Key
---@param where ollama.Place
---@return boolean
local function is_for(key, where)
  local read = where == 'viewer'
    and vim.list_contains(key.where, 'transcript')
    and not FOR_THE_LIVING[key.action]
  return read or vim.list_contains(key.where, where)
end

--- Sets the maps of one buffer. They lead to the <Plug> maps, so that a FileType autocommand can set its own.
---@param buffer integer
---@param where ollama.Place
function M.apply(buffer, where)
  local wanted = require('ollama-remote.config').resolved().keymaps
  for _, key in ipairs(M.table) do
    local is_meant = is_for(key, where) and not is_taken(key, wanted)
    local lhs = is_meant and wanted_lhs(key, wanted) or nil
    for _, mode in ipairs(lhs and key.modes or {}) do
      local plug = ('<Plug>(ollama-%s)'):format(key.action)
      local options = { desc = 'Ollama: ' .. key.desc, silent = true, nowait = true }
      vim.api.nvim_buf_set_keymap(buffer, mode, lhs, plug, options)
    end
  end
end

--- Takes the maps of a viewer from a buffer and sets those of a transcript.
---@param buffer integer
function M.come_to_life(buffer)
  for _, map in ipairs(vim.api.nvim_buf_get_keymap(buffer, 'n')) do
    if (map.rhs or ''):match('^<Plug>%(ollama%-') then
      vim.api.nvim_buf_del_keymap(buffer, 'n', map.lhs)
    end
  end
  M.apply(buffer, 'transcript')
end

--- Takes the default keys that the plugin set, or moves them. A map of the user's own is never touched.
---@param keymaps false|table<string, string|false>
function M.change_defaults(keymaps)
  local kept = {}
  for _, entry in ipairs(vim.g.ollama_remote_keys or {}) do
    local mode, lhs, action = entry[1], entry[2], entry[3]
    local choice = keymaps and keymaps[action]
    if keymaps and choice == nil then
      kept[#kept + 1] = entry
    else
      M.remove(mode, lhs, action)
    end
  end
  for action, lhs in pairs(keymaps or {}) do
    vim.list_extend(kept, M.set_default(action, lhs))
  end
  vim.g.ollama_remote_keys = kept
end

---@param mode string
---@param lhs string
---@param action string
function M.remove(mode, lhs, action)
  if vim.fn.maparg(lhs, mode) == ('<Plug>(ollama-%s)'):format(action) then
    pcall(vim.api.nvim_del_keymap, mode, lhs)
  end
end

--- Maps a key to one of the actions that can be called from anywhere.
---@param action string
---@param lhs string|false
---@return table[] set
function M.set_default(action, lhs)
  local set = {}
  local inside = vim.iter(M.table):any(function(key)
    return key.action == action
  end)
  if not lhs or inside then
    return set
  end
  for _, mode in ipairs({ 'n', 'x' }) do
    local plug = ('<Plug>(ollama-%s)'):format(action)
    local target = vim.fn.maparg(plug, mode, false, true)
    if target.desc and vim.fn.maparg(lhs, mode) == '' then
      vim.api.nvim_set_keymap(mode, lhs, plug, { desc = target.desc, silent = true })
      set[#set + 1] = { mode, lhs, action }
    end
  end
  return set
end

return M
