-- A list in the picker of snacks.nvim.
local M = {}

--- Asks here, in the main loop; what snacks calls later is a coroutine of its own, in which Neovim's functions must not
--- be called and which sleeps until there are rows.
---@param list ollama.List
---@return fun(options: table, context: table): fun(add: fun(item: table))
local function finder_of(list)
  return function(_, context)
    local found, taken, is_done, thread = {}, 0, false, nil
    local function wake()
      if thread then
        thread:resume()
      end
    end
    list.rows(list.is_live and context.filter.search or list.query, function(rows)
      vim.list_extend(found, rows)
      wake()
    end, function()
      is_done = true
      wake()
    end)
    return function(add)
      thread = context.async
      while taken < #found or not is_done do
        if taken == #found then
          thread:suspend()
        end
        while taken < #found do
          taken = taken + 1
          add({ text = found[taken].text, row = found[taken] })
        end
      end
    end
  end
end

---@param list ollama.List
---@return fun(context: table)|'none'
local function preview_of(list)
  local preview = list.preview
  return preview
      and function(context)
        local item = context.item
        context.preview:reset()
        preview(item.row, function(lines, filetype, marks)
          -- Another may be looked at by now.
          if context.preview.item == item and context.preview.win:valid() then
            context.preview:set_lines(lines)
            context.preview:highlight({ ft = filetype })
            require('ollama-remote.choose.preview').mark(context.preview.win.buf, marks)
          end
        end)
      end
    or 'none'
end

---@param list ollama.List
function M.open(list)
  local actions, keys = {}, {}
  for number, action in ipairs(list.actions) do
    local name = 'ollama_' .. number
    actions[name] = {
      desc = action.name,
      action = function(picker, item)
        picker:close()
        list.close(item and item.row, action)
      end,
    }
    keys[action.key] = { name, mode = { 'n', 'i' } }
  end
  require('snacks').picker.pick({
    source = 'ollama',
    title = list.title,
    live = list.is_live,
    supports_live = list.is_live,
    search = list.is_live and list.query or nil,
    finder = finder_of(list),
    format = function(item)
      return { { item.row.line } }
    end,
    preview = preview_of(list),
    layout = list.preview and {} or { preset = 'select' },
    confirm = function(picker, item)
      picker:close()
      list.close(item and item.row)
    end,
    actions = actions,
    win = { input = { keys = keys }, list = { keys = keys } },
    -- After whatever has closed it has said what was chosen.
    on_close = vim.schedule_wrap(function()
      list.close()
    end),
  })
end

return M
