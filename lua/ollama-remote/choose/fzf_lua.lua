-- A list in fzf-lua. Each line carries its row's index, which is not shown.
local M = {}

local script = require('ollama-remote.choose.fzf_script')

---@param line? string
---@return integer?
local function index_of(line)
  return tonumber((line or ''):match('^(%d+)\t'))
end

--- What fzf-lua runs to get lines: it calls `add` with each, and without one when there are no more.
---@param list ollama.List
---@param query string
---@return fun(add: fun(line?: string))
local function contents_of(list, query)
  return function(add)
    list.rows(query, function(rows)
      for _, row in ipairs(rows) do
        add(('%d\t%s'):format(row.index, row.line))
      end
    end, function()
      add()
    end)
  end
end

---@param list ollama.List
---@return table? a class of fzf-lua's
local function previewer_of(list)
  local preview = list.preview
  if not preview then
    return nil
  end
  local base = require('fzf-lua.previewer.builtin').base
  local Previewer = base:extend()
  function Previewer:new(options, opts, window)
    Previewer.super.new(self, options, opts, window)
    setmetatable(self, Previewer)
    return self
  end
  function Previewer:populate_preview_buf(line)
    local row = list.row(index_of(line) or 0)
    if not row then
      return
    end
    local buffer = self:get_tmp_buffer()
    self:set_preview_buf(buffer)
    preview(row, function(lines, filetype, marks)
      if vim.api.nvim_buf_is_valid(buffer) then
        require('ollama-remote.choose.preview').put(buffer, lines, marks)
        vim.bo[buffer].syntax = filetype or ''
      end
    end)
  end
  return Previewer
end

--- Its answer differs by version: a key may stand before the chosen line, or not.
---@param list ollama.List
---@param selected? string[]
local function finish(list, selected)
  local index, key
  for _, line in ipairs(selected or {}) do
    if index_of(line) then
      index = index_of(line)
    else
      key = line
    end
  end
  local action = vim.iter(list.actions):find(function(candidate)
    return script.key(candidate.key) == key
  end)
  list.close(index and list.row(index), action)
end

---@param list ollama.List
function M.open(list)
  local fzf = require('fzf-lua')
  local function nothing() end
  local actions = { ['default'] = nothing }
  for _, action in ipairs(list.actions) do
    actions[script.key(action.key)] = nothing
  end
  local options = {
    prompt = list.title .. ' > ',
    query = list.is_live and list.query or nil,
    exec_empty_query = true,
    previewer = previewer_of(list),
    actions = actions,
    fzf_opts = {
      ['--delimiter'] = '\t',
      ['--with-nth'] = '2..',
      ['--no-multi'] = true,
      ['--tiebreak'] = 'index',
    },
    fn_selected = function(selected)
      finish(list, selected)
    end,
  }
  if list.is_live then
    return fzf.fzf_live(function(arguments)
      local query = type(arguments) == 'table' and arguments[1] or arguments or ''
      return contents_of(list, query)
    end, options)
  end
  fzf.fzf_exec(contents_of(list, list.query), options)
end

return M
