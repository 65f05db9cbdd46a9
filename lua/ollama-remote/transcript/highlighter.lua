-- Which highlighting a transcript gets: treesitter while that is quick, Vim's syntax where it would stutter or is absent.
local M = {}

local LANGUAGE = 'ollama_markdown'

--- Above this many lines every edit costs too much: 0.10 parses in one go, newer ones in slices.
local MOST_LINES = vim.fn.has('nvim-0.11') == 1 and 10000 or 2000

-- Without the html rule of Neovim's own query: it is most of a parse's cost in a long buffer.
local INJECTIONS = [[
(fenced_code_block
  (info_string
    (language) @injection.language)
  (code_fence_content) @injection.content)

([
  (inline)
  (pipe_table_cell)
] @injection.content
  (#set! injection.language "markdown_inline"))
]]

local is_loaded = false

--- Neovim's own query, but with fences left to be seen: where code begins and what language it is matters here.
---@return string
local function highlights()
  local texts = vim.tbl_map(function(file)
    return table.concat(vim.fn.readfile(file), '\n')
  end, vim.treesitter.query.get_files('markdown', 'highlights'))
  return (table.concat(texts, '\n'):gsub('%(#set! conceal[%a_]* ""%)', ''))
end

--- Loads the markdown parser under a name of our own, with queries of our own.
local function load()
  local parser = vim.api.nvim_get_runtime_file('parser/markdown.*', false)[1]
  vim.treesitter.language.add(LANGUAGE, { path = parser, symbol_name = 'markdown' })
  vim.treesitter.query.set(LANGUAGE, 'highlights', highlights())
  vim.treesitter.query.set(LANGUAGE, 'injections', INJECTIONS)
  is_loaded = true
end

---@param buffer integer
local function start(buffer)
  if not is_loaded then
    load()
  end
  vim.treesitter.start(buffer, LANGUAGE)
end

---@param buffer integer
local function use_syntax(buffer)
  pcall(vim.treesitter.stop, buffer)
  vim.bo[buffer].syntax = 'markdown'
end

--- Starts the right highlighting for the buffer as long as it is now, or changes it when it has grown too long.
---@param buffer integer
---@param to_come? integer lines that it will have besides
function M.fit(buffer, to_come)
  local treesitter = vim.api.nvim_buf_line_count(buffer) + (to_come or 0) <= MOST_LINES
  local kind = treesitter and 'treesitter' or 'syntax'
  if vim.b[buffer].ollama_highlighting == kind then
    return
  end
  vim.b[buffer].ollama_highlighting = kind
  if not treesitter or not pcall(start, buffer) then
    use_syntax(buffer)
  end
end

return M
