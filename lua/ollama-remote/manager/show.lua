-- All that a server tells of one model, in a buffer that is only read: each part a fold. What a model brings with it is text:
-- it is never run, and never forms a modeline.
local M = {}

local api = vim.api
local cells = require('ollama-remote.manager.cells')
local rpc = require('ollama-remote.rpc')

local WIDE = 120

---@param value any
---@return string
local function plain(value)
  if type(value) == 'table' then
    return #value == 0 and '…' or table.concat(vim.tbl_map(tostring, value), ', ')
  end
  if type(value) == 'number' and value == math.floor(value) then
    return ('%d'):format(value)
  end
  return tostring(value)
end

---@param info table<string, any>
---@return string
local function info_text(info)
  local lines, width = {}, 0
  for key in pairs(info) do
    width = math.max(width, vim.fn.strdisplaywidth(key))
  end
  for key, value in vim.spairs(info) do
    lines[#lines + 1] = require('ollama-remote.columns').pad(key, width) .. '  ' .. plain(value)
  end
  return table.concat(lines, '\n')
end

--- The verdict, with what a column has no room for: why.
---@param model ollama.ModelRow
---@return string
local function update_of(model)
  local words = cells.updated(model.update)
  local why = model.update and model.update.why
  return why and ('%s: %s'):format(words, why) or words
end

---@param model ollama.ModelRow
---@param details table
---@return string
local function facts(model, details)
  local size = require('ollama-remote.amounts').size
  local rows = {
    { 'size', size(model.size) },
    { 'parameters', model.parameters },
    { 'quantisation', model.quantization },
    { 'family', model.family },
    { 'can', table.concat(details.capabilities or model.capabilities or {}, ', ') },
    { 'trained for', details.trained_context and plain(details.trained_context) .. ' tokens' },
    { 'digest', model.digest },
    { 'update', update_of(model) },
    { 'changed', model.modified and os.date('%Y-%m-%d %H:%M', math.floor(model.modified / 1000)) },
  }
  local lines = {}
  for _, row in ipairs(rows) do
    if row[2] and row[2] ~= '' then
      lines[#lines + 1] = ('%-13s %s'):format(row[1], row[2])
    end
  end
  return table.concat(lines, '\n')
end

--- Title and text of each part that there is.
---@param model ollama.ModelRow
---@param details table
---@return { [1]: string, [2]: string, open?: boolean }[]
local function parts(model, details)
  local all = {
    { 'Model', facts(model, details), open = true },
    { 'Parameters', details.parameters or '', open = true },
    { 'System prompt', details.system or '', open = true },
    { 'Template', details.template or '' },
    { 'Model file', details.model_file or '' },
    { 'Licence', details.license or '' },
    { 'Weights', info_text(details.info or {}) },
  }
  return vim.tbl_filter(function(part)
    return vim.trim(part[2]) ~= ''
  end, all)
end

---@param buffer integer
---@param lines string[]
local function set_lines(buffer, lines)
  vim.bo[buffer].modifiable = true
  api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  vim.bo[buffer].modifiable = false
end

local namespace = api.nvim_create_namespace('ollama-remote.manager-show')

--- The line of a closed part: its title, and how long it is.
function M.foldtext()
  local title = vim.fn.getline(vim.v.foldstart)
  return ('%s · %d lines'):format(title, vim.v.foldend - vim.v.foldstart)
end

---@param buffer integer
---@param window integer
---@param all { [1]: string, [2]: string, open?: boolean }[]
local function fill(buffer, window, all)
  local lines, folds = {}, {}
  for _, part in ipairs(all) do
    local first = #lines + 1
    lines[first] = '# ' .. part[1]
    for line in
      vim.gsplit(part[2]:gsub('\r', ''):gsub('%z', ''):gsub('\n+$', ''), '\n', { plain = true })
    do
      lines[#lines + 1] = '  ' .. line
    end
    folds[#folds + 1] = { first, #lines, part.open }
  end
  set_lines(buffer, lines)
  for _, fold in ipairs(folds) do
    local options = { end_row = fold[1], end_col = 0, hl_group = 'OllamaRemoteModel' }
    api.nvim_buf_set_extmark(buffer, namespace, fold[1] - 1, 0, options)
  end
  if not api.nvim_win_is_valid(window) or api.nvim_win_get_buf(window) ~= buffer then
    return
  end
  api.nvim_win_call(window, function()
    for _, fold in ipairs(folds) do
      if fold[2] > fold[1] then
        vim.cmd(('%d,%dfold'):format(fold[1], fold[2]))
        vim.cmd(('%dfold%s'):format(fold[1], fold[3] and 'open' or 'close'))
      end
    end
    api.nvim_win_set_cursor(window, { 1, 0 })
  end)
end

---@param model ollama.ModelRow
---@return integer buffer
---@return integer window
local function open_window(model)
  local buffer = api.nvim_create_buf(false, true)
  local name = 'ollama-model://' .. model.ref
  local stale = vim.fn.bufnr('^' .. vim.fn.escape(name, '*?[]{}\\^$.~') .. '$')
  if stale > 0 then
    pcall(api.nvim_buf_delete, stale, { force = true })
  end
  pcall(api.nvim_buf_set_name, buffer, name)
  vim.bo[buffer].bufhidden = 'wipe'
  vim.bo[buffer].modeline = false
  vim.bo[buffer].undolevels = -1
  vim.bo[buffer].modifiable = false
  local origin = api.nvim_get_current_win()
  local layout, sizes = vim.fn.winlayout(), vim.fn.winrestcmd()
  local is_wide = api.nvim_win_get_width(0) >= WIDE
  local place = is_wide and { split = 'right', win = 0 }
    or { split = 'above', win = 0, height = math.floor(vim.o.lines * 0.6) }
  local window = api.nvim_open_win(buffer, true, place)
  for option, value in pairs({
    foldmethod = 'manual',
    foldenable = true,
    foldtext = "v:lua.require'ollama-remote.manager.show'.foldtext()",
    number = false,
    relativenumber = false,
    signcolumn = 'no',
    spell = false,
    list = false,
    wrap = true,
    winfixheight = false,
  }) do
    api.nvim_set_option_value(option, value, { win = window, scope = 'local' })
  end
  if place.height then
    -- On 0.10 `equalalways` takes some of it away again.
    api.nvim_win_set_height(window, place.height)
  end
  -- Neovim gives the room back to whoever is beside it.
  api.nvim_create_autocmd('BufWipeout', {
    buffer = buffer,
    callback = vim.schedule_wrap(function()
      if vim.deep_equal(vim.fn.winlayout(), layout) then
        vim.cmd(sizes)
      end
    end),
  })
  vim.bo[buffer].filetype = 'ollama-model'
  vim.keymap.set('n', 'q', function()
    pcall(api.nvim_win_close, window, false)
    if api.nvim_win_is_valid(origin) then
      api.nvim_set_current_win(origin)
    end
  end, { buffer = buffer, nowait = true, desc = 'Ollama: close' })
  vim.keymap.set('n', '<Tab>', 'za', { buffer = buffer, desc = 'Ollama: open or close the part' })
  return buffer, window
end

--- Opens it at once; what the server tells comes when it does.
---@param model ollama.ModelRow
function M.open(model)
  local buffer, window = open_window(model)
  set_lines(buffer, { ('  asking %s …'):format(model.server) })
  local params = { server = model.server, model = model.name }
  rpc.request('models.show', params, function(failure, details)
    if not api.nvim_buf_is_valid(buffer) then
      return
    elseif failure then
      local words = ('%s: %s'):format(failure.code, require('ollama-remote.message').of(failure))
      return set_lines(buffer, vim.split(words, '\n', { plain = true }))
    end
    fill(buffer, window, parts(model, details))
  end)
end

return M
