-- A list in mini.pick, which reads keys itself until it is left, and lets Neovim go on meanwhile.
local M = {}

--- Each time that items are given, all are matched anew.
local GIVE_MS = 100

--- Gives rows to the picker: the first at once, later ones in heaps.
---@param list ollama.List
---@param pick table
---@param query string
---@param options table
local function give(list, pick, query, options)
  local items, waiting, given = {}, false, false
  local function hand_over()
    waiting = false
    if pick.is_picker_active() and not list.is_closed() then
      given = true
      pick.set_picker_items(vim.list_slice(items), options)
    end
  end
  list.rows(query, function(rows)
    for _, row in ipairs(rows) do
      items[#items + 1] = { text = row.line, row = row }
    end
    if not given then
      return hand_over()
    end
    if not waiting then
      waiting = true
      vim.defer_fn(hand_over, GIVE_MS)
    end
  end, function()
    if #items == 0 then
      hand_over()
    end
  end)
end

---@param list ollama.List
---@param pick table
---@return table
local function source_of(list, pick)
  local source = {
    name = list.title,
    items = vim.schedule_wrap(function()
      give(list, pick, list.query, { do_match = not list.is_live })
    end),
    -- The default one takes an item for a path.
    show = function(buffer, items, query)
      pick.default_show(buffer, items, query, { show_icons = false })
    end,
  }
  if list.is_live then
    -- The match with an empty query, at the start, brings the first rows.
    source.items = {}
    source.match = function(_, _, query)
      local options = { do_match = false, querytick = pick.get_querytick() }
      give(list, pick, table.concat(query), options)
    end
  end
  local preview = list.preview
  source.preview = function(buffer, item)
    if not preview then
      return vim.api.nvim_buf_set_lines(buffer, 0, -1, false, { item.text })
    end
    preview(item.row, function(lines, filetype, marks)
      if vim.api.nvim_buf_is_valid(buffer) then
        require('ollama-remote.choose.preview').put(buffer, lines, marks)
        vim.bo[buffer].syntax = filetype or ''
      end
    end)
  end
  return source
end

--- A key of an action is not to be one of mini.pick's own too.
---@param list ollama.List
---@param pick table
---@param take fun(item: table?, action: ollama.Action)
---@return table<string, any>
local function mappings_of(list, pick, take)
  local mappings = {}
  for number, action in ipairs(list.actions) do
    for name, key in pairs((pick.config or {}).mappings or {}) do
      if type(key) == 'string' and key:lower() == action.key:lower() then
        mappings[name] = ''
      end
    end
    mappings['ollama_' .. number] = {
      char = action.key,
      func = function()
        take((pick.get_picker_matches() or {}).current, action)
        return true
      end,
    }
  end
  return mappings
end

---@param list ollama.List
function M.open(list)
  local pick = require('mini.pick')
  local taken, acted
  local source = source_of(list, pick)
  source.choose = function(item)
    taken = item
  end
  local mappings = mappings_of(list, pick, function(item, action)
    taken, acted = item, action
  end)
  if list.is_live and list.query ~= '' then
    vim.schedule(function()
      if pick.is_picker_active() then
        pick.set_picker_query(vim.fn.split(list.query, [[\zs]]))
      end
    end)
  end
  local ok, thrown = pcall(pick.start, { source = source, mappings = mappings })
  list.close(taken and taken.row, acted)
  if not ok then
    error(thrown, 0)
  end
end

return M
