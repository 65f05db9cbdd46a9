-- A list by vim.ui.select, Neovim's own or the user's. It shows what has been found, has no search of its own and no keys.
local M = {}

--- Whether somebody, the user or a plugin of his, has put another list in the place of Neovim's own.
---@return boolean
function M.is_overridden()
  local source = debug.getinfo(vim.ui.select, 'S').source
  return not source:find('vim/ui.lua', 1, true)
end

--- How many rows of Neovim's own list fit the screen: more would have to be paged through before one can be chosen.
---@return integer
local function page()
  return M.is_overridden() and math.huge or math.max(5, vim.o.lines - 5)
end

---@param list ollama.List
---@param preview? fun(row: ollama.Row, callback: ollama.ShowPreview)
---@return fun(row: ollama.Row): { buf: integer }|nil
local function preview_item(list, preview)
  return preview
    and function(row)
      local buffer = vim.api.nvim_create_buf(false, true)
      vim.bo[buffer].bufhidden = 'wipe'
      if row.index then
        preview(row, function(lines, filetype, marks)
          if vim.api.nvim_buf_is_valid(buffer) and not list.is_closed() then
            require('ollama-remote.choose.preview').put(buffer, lines, marks)
            vim.bo[buffer].filetype = filetype or ''
          end
        end)
      end
      return { buf = buffer }
    end
end

---@param list ollama.List
---@param rows ollama.Row[]
---@param first integer
local function show(list, rows, first)
  local last = math.min(#rows, first + page() - 1)
  local shown = vim.list_slice(rows, first, last)
  if last < #rows then
    shown[#shown + 1] = { line = ('… %d more'):format(#rows - last) }
  end
  vim.ui.select(shown, {
    prompt = list.title,
    kind = list.kind,
    format_item = function(row)
      return row.line
    end,
    preview_item = preview_item(list, list.preview),
  }, function(row)
    if row and not row.index then
      return vim.schedule(function()
        show(list, rows, last + 1)
      end)
    end
    list.close(row)
  end)
end

---@param list ollama.List
function M.open(list)
  local rows, is_shown = {}, false
  local function show_once()
    if is_shown then
      return
    end
    is_shown = true
    if #rows == 0 then
      require('ollama-remote.message').whisper(list.title .. ': nothing found')
      return list.close()
    end
    list.try(function()
      show(list, rows, 1)
    end)
  end
  list.rows(list.query, function(more)
    vim.list_extend(rows, more)
    if list.is_soon_enough then
      show_once()
    end
  end, show_once)
end

return M
