-- A list in telescope.nvim. Its finder is ours, so that rows are shown as they are found.
local M = {}

---@param row ollama.Row
---@param index integer
---@return table
local function entry_of(row, index)
  return { value = row, display = row.line, ordinal = row.text, index = index }
end

--- Telescope asks its finder anew with every key. A list that is matched here is asked for once, and given again.
---@param list ollama.List
---@return table callable, with `close`
local function finder_of(list)
  local entries, is_done, is_asked = {}, false, false
  ---@type { result: fun(entry: table), complete: fun() }?
  local taker
  local function ask(query)
    entries, is_done, is_asked = {}, false, true
    list.rows(query, function(rows)
      for _, row in ipairs(rows) do
        local entry = entry_of(row, #entries + 1)
        entries[#entries + 1] = entry
        if taker then
          taker.result(entry)
        end
      end
    end, function()
      is_done = true
      if taker then
        taker.complete()
      end
    end)
  end
  local function find(_, prompt, result, complete)
    taker = nil
    if list.is_live or not is_asked then
      ask(list.is_live and (prompt or '') or list.query)
    end
    for _, entry in ipairs(entries) do
      result(entry)
    end
    if is_done then
      return complete()
    end
    taker = { result = result, complete = complete }
  end
  return setmetatable({
    close = function()
      taker = nil
    end,
  }, { __call = find })
end

---@param list ollama.List
---@return table?
local function previewer_of(list)
  local preview = list.preview
  if not preview then
    return nil
  end
  return require('telescope.previewers').new_buffer_previewer({
    title = 'Preview',
    define_preview = function(self, entry)
      local buffer = self.state.bufnr
      preview(entry.value, function(lines, filetype, marks)
        if vim.api.nvim_buf_is_valid(buffer) and self.state and self.state.bufnr == buffer then
          require('ollama-remote.choose.preview').put(buffer, lines, marks)
          require('telescope.previewers.utils').highlighter(buffer, filetype or '')
        end
      end)
    end,
  })
end

---@param list ollama.List
---@return fun(buffer: integer, map: fun(mode: string, key: string, action: fun())): boolean
local function mappings_of(list)
  return function(buffer, map)
    local actions = require('telescope.actions')
    local state = require('telescope.actions.state')
    local function finish(action)
      local entry = state.get_selected_entry()
      actions.close(buffer)
      list.close(entry and entry.value, action)
    end
    actions.select_default:replace(function()
      finish()
    end)
    for _, action in ipairs(list.actions) do
      for _, mode in ipairs({ 'i', 'n' }) do
        map(mode, action.key, function()
          finish(action)
        end)
      end
    end
    vim.api.nvim_create_autocmd({ 'BufWipeout', 'BufDelete', 'BufUnload' }, {
      buffer = buffer,
      once = true,
      -- After whatever has closed it has said what was chosen.
      callback = vim.schedule_wrap(function()
        list.close()
      end),
    })
    return true
  end
end

---@param list ollama.List
function M.open(list)
  local sorter = list.is_live and require('telescope.sorters').empty()
    or require('telescope.config').values.generic_sorter({})
  require('telescope.pickers')
    .new({}, {
      prompt_title = list.title,
      -- A query of ours is not to be matched again where the list is matched here.
      default_text = list.is_live and list.query or nil,
      finder = finder_of(list),
      sorter = sorter,
      previewer = previewer_of(list),
      attach_mappings = mappings_of(list),
    })
    :find()
end

return M
