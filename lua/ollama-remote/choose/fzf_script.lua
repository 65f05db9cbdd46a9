-- The two shell scripts of a list in fzf, as text. No word of an item stands in them: what is found travels through fifos.
local M = {}

--- What fzf runs to get rows or a preview. `$1` is the kind of the question, `$2` what it is about. The first line of the
--- answer only says that it has begun: were our own writing end closed before, the reading end would be at its end.
M.ASK = [[
answer="$OLLAMA_REMOTE_LIST/answer.$$"
mkfifo -m 600 "$answer" || exit 1
exec 3<>"$answer" 4<"$answer"
printf '%s %s %s\n' "$1" "$$" "$2" >"$OLLAMA_REMOTE_LIST/questions" || exit 1
read -r begun <&4
exec 3>&-
exec cat <&4
]]

local ASK = 'sh "$OLLAMA_REMOTE_LIST/ask" '

---@param text string
---@return string
function M.quote(text)
  return "'" .. text:gsub("'", [['\'']]) .. "'"
end

local NAMES = {
  bs = 'bspace',
  cr = 'enter',
  del = 'del',
  ['end'] = 'end',
  esc = 'esc',
  home = 'home',
  insert = 'insert',
  pagedown = 'page-down',
  pageup = 'page-up',
  space = 'space',
  tab = 'tab',
}

--- A key of Neovim's notation as fzf names it: `<C-d>` is `ctrl-d`.
---@param key string
---@return string
function M.key(key)
  local inner = key:match('^<(.*)>$')
  if not inner then
    return key
  end
  local modifier, rest = inner:match('^(%a)%-(.+)$')
  local name = (rest or inner):lower()
  name = NAMES[name] or name
  if not modifier then
    return name
  end
  return (modifier:lower() == 'c' and 'ctrl-' or modifier:lower() == 's' and 'shift-' or 'alt-')
    .. name
end

---@param list ollama.List
---@return string
local function header(list)
  local told = vim.tbl_map(function(action)
    return ('%s %s'):format(action.key, action.name)
  end, list.actions)
  return table.concat(vim.list_extend({ '<CR> choose' }, told), '   ')
end

---@param list ollama.List
---@return string[]
local function arguments(list)
  local given = {
    '--delimiter=\t',
    '--with-nth=2..',
    '--tiebreak=index',
    '--no-multi',
    '--no-height',
    '--border=none',
    '--layout=reverse',
    '--info=inline',
    '--prompt=' .. list.title .. ' > ',
    '--query=' .. list.query,
    '--header=' .. header(list),
    '--preview=' .. (list.preview and ASK .. 'preview {1}' or ''),
    -- Under the list where the columns of a chat would not fit beside it.
    '--preview-window=right,50%,wrap,<80(down,55%,wrap)',
    -- Columns stay where they are, whatever is matched.
    '--no-hscroll',
  }
  if #list.actions > 0 then
    local keys = vim.tbl_map(function(action)
      return M.key(action.key)
    end, list.actions)
    given[#given + 1] = '--expect=' .. table.concat(keys, ',')
  end
  if list.is_live then
    local reload = '--bind=change:reload:' .. ASK .. 'rows {q}'
    vim.list_extend(given, { '--disabled', '--print-query', reload })
  end
  return given
end

--- What the terminal runs. It tells its process, and leaves in `chosen` what fzf said.
---@param list ollama.List
---@param folder string
---@param program string path of fzf
---@return string
function M.run(list, folder, program)
  local lines = {}
  for name, value in pairs(vim.fn.environ()) do
    -- A tmux server has an environment of its own.
    if name:match('^FZF_[%w_]+$') then
      lines[#lines + 1] = ('export %s=%s'):format(name, M.quote(value))
    end
  end
  vim.list_extend(lines, {
    -- fzf quotes what it puts into a command for this shell.
    'export SHELL=/bin/sh',
    'export OLLAMA_REMOTE_LIST=' .. M.quote(folder),
    'export FZF_DEFAULT_COMMAND=' .. M.quote(ASK .. 'first'),
    -- It is in its popup already, whatever FZF_DEFAULT_OPTS says of tmux.
    'unset TMUX',
    'echo $$ >"$OLLAMA_REMOTE_LIST/process"',
    ('exec %s %s >"$OLLAMA_REMOTE_LIST/chosen"'):format(
      M.quote(program),
      table.concat(vim.tbl_map(M.quote, arguments(list)), ' ')
    ),
  })
  return table.concat(lines, '\n') .. '\n'
end

--- Lines of fzf's own around the rows of a list without preview, and one for air.
local FRAME_LINES = 3

--- How high a list need be; nil where that is as high as can be.
---@param list ollama.List
---@return integer? lines
function M.height(list)
  return list.count and not list.preview and list.count + FRAME_LINES or nil
end

--- Reads what fzf said: of a live list the query first; with actions a line with a key; then the line that was chosen.
---@param text string
---@param is_live boolean
---@return integer? index
---@return string? key
---@return string? query
function M.chosen(text, is_live)
  local index, key, query
  if is_live and text ~= '' then
    query, text = text:match('^([^\n]*)\n?(.*)$')
  end
  for line in vim.gsplit(text, '\n', { plain = true }) do
    local number = line:match('^(%d+)\t')
    if number then
      index = tonumber(number)
    elseif line ~= '' then
      key = line
    end
  end
  return index, key, query
end

return M
