-- How a list answers fzf: questions come through one fifo, each answer goes through one of its own, all in a private folder.
local M = {}

local uv = vim.uv
local OPEN = uv.constants
local MOST_PREVIEW_LINES = 2000

---@class ollama.FzfChannel
---@field folder string
---@field close fun() ends all that is under way and removes the folder

---@class ollama.Answer
---@field write fun(text: string)
---@field finish fun()

--- Opens the other end of an answer; nil when whoever asked has gone already.
---@param path string
---@return ollama.Answer?
local function answer_to(path)
  local descriptor = uv.fs_open(path, OPEN.O_WRONLY + OPEN.O_NONBLOCK, 0)
  uv.fs_unlink(path)
  if not descriptor then
    return nil
  end
  local pipe = assert(uv.new_pipe(false))
  pipe:open(descriptor)
  local under_way, is_finished = 0, false
  local function settle(failure)
    if (failure or is_finished and under_way == 0) and not pipe:is_closing() then
      pipe:close()
    end
  end
  local function write(text)
    if not pipe:is_closing() then
      under_way = under_way + 1
      pipe:write(text, function(failure)
        under_way = under_way - 1
        settle(failure)
      end)
    end
  end
  write('\n')
  return {
    write = write,
    finish = function()
      is_finished = true
      settle()
    end,
  }
end

---@param list ollama.List
---@param query string
---@param answer ollama.Answer
local function give_rows(list, query, answer)
  list.rows(query, function(rows)
    local lines = vim.tbl_map(function(row)
      -- Only what is shown can be matched.
      local more = row.text ~= row.line and '  ' .. row.text or ''
      return ('%d\t%s%s\n'):format(row.index, row.line, more)
    end, rows)
    answer.write(table.concat(lines))
  end, answer.finish)
end

---@param list ollama.List
---@param index string
---@param answer ollama.Answer
local function give_preview(list, index, answer)
  local row = list.row(tonumber(index) or 0)
  if not row or not list.preview then
    return answer.finish()
  end
  list.preview(row, function(lines, _, marks)
    local shown = vim.list_slice(lines, 1, MOST_PREVIEW_LINES)
    shown = require('ollama-remote.choose.preview').for_terminal(shown, marks)
    answer.write(table.concat(shown, '\n') .. '\n')
    answer.finish()
  end)
end

---@param list ollama.List
---@param folder string
---@param question string
local function take(list, folder, question)
  local kind, asker, about = question:match('^(%a+) (%d+) (.*)$')
  local answer = kind and answer_to(('%s/answer.%s'):format(folder, asker))
  if not answer or list.is_closed() then
    return
  end
  list.try(function()
    if kind == 'preview' then
      give_preview(list, about, answer)
    else
      give_rows(list, kind == 'first' and list.query or about, answer)
    end
  end)
end

---@param list ollama.List
---@param folder string
---@return uv_pipe_t?
local function listen(list, folder)
  -- With a writing end of ours it never is at its end, and opening it waits for nobody.
  local descriptor = uv.fs_open(folder .. '/questions', OPEN.O_RDWR + OPEN.O_NONBLOCK, 0)
  if not descriptor then
    return nil
  end
  local pipe = assert(uv.new_pipe(false))
  pipe:open(descriptor)
  local rest = ''
  pipe:read_start(vim.schedule_wrap(function(_, data)
    local lines = vim.split(rest .. (data or ''), '\n', { plain = true })
    rest = table.remove(lines)
    for _, line in ipairs(lines) do
      take(list, folder, line)
    end
  end))
  return pipe
end

---@param path string
---@param text string
local function write_file(path, text)
  local file = assert(uv.fs_open(path, 'wx', 384)) -- 0600
  assert(uv.fs_write(file, text))
  uv.fs_close(file)
end

--- The popup of a tmux outlives Neovim, if its fzf is not ended.
---@param folder string
local function end_process(folder)
  local file = io.open(folder .. '/process', 'r')
  local process = file and file:read('*n')
  if file then
    file:close()
  end
  if process then
    uv.kill(process, 'sigterm')
  end
end

---@param folder string
---@param pipe uv_pipe_t
---@return ollama.FzfChannel
local function channel_of(folder, pipe)
  local leaving = vim.api.nvim_create_autocmd('VimLeavePre', {
    callback = function()
      end_process(folder)
    end,
  })
  return {
    folder = folder,
    close = function()
      if not pipe:is_closing() then
        pipe:close()
        vim.api.nvim_del_autocmd(leaving)
      end
      vim.fn.delete(folder, 'rf')
    end,
  }
end

--- Makes the folder with its scripts, `ask` and `run`, and answers what they ask from then on.
---@param list ollama.List
---@param run_script fun(folder: string): string
---@param callback fun(channel?: ollama.FzfChannel) without a channel where there are no fifos
function M.open(list, run_script, callback)
  local folder = vim.fn.tempname()
  vim.fn.mkdir(folder, 'p', 448) -- 0700
  write_file(folder .. '/ask', require('ollama-remote.choose.fzf_script').ASK)
  write_file(folder .. '/run', run_script(folder))
  local function made(outcome)
    local pipe = outcome.code == 0 and listen(list, folder) or nil
    if not pipe then
      vim.fn.delete(folder, 'rf')
      return callback(nil)
    end
    callback(channel_of(folder, pipe))
  end
  local command = { 'mkfifo', '-m', '600', folder .. '/questions' }
  if not pcall(vim.system, command, {}, vim.schedule_wrap(made)) then
    made({ code = 1 })
  end
end

return M
