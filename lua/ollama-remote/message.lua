-- How the plugin speaks to the person: the one door to vim.notify and the message history.
local M = {}

--- A failure as it crosses from the host; the same shape is used for those that Lua finds itself.
---@class ollama.Error
---@field code string
---@field message string
---@field hint? string

local HIGHLIGHTS = { info = 'None', warn = 'WarningMsg', error = 'ErrorMsg' }

--- After a list that was asked in the command line, a message would be put under it and wait for Enter.
local function clear_command_line()
  if not vim.api.nvim_get_mode().mode:find('^[cr]') then
    vim.cmd.redraw()
  end
end

--- Into the history as one line, of which Neovim shows what fits; all of it stands in a float.
---@param text string
---@param level 'info'|'warn'|'error'
local function say_long(text, level)
  local notice = require('ollama-remote.notice')
  local quoted = vim.fn.string(notice.one_line(text))
  vim.cmd(('echohl %s | echomsg %s | echohl None'):format(HIGHLIGHTS[level], quoted))
  notice.show(text, level)
end

---@param text string
---@param level? 'info'|'warn'|'error'
function M.say(text, level)
  level = HIGHLIGHTS[level] and level or 'info'
  -- A turn of the main loop later: right after a list that was asked in the command line, Neovim would not cut a long
  -- message, but wait for Enter.
  vim.defer_fn(function()
    local notice = require('ollama-remote.notice')
    clear_command_line()
    if notice.is_needed() and not notice.fits(text) then
      return say_long(text, level)
    end
    vim.notify(text, vim.log.levels[level:upper()], { title = 'ollama-remote' })
  end, 0)
end

---@param failure ollama.Error
---@return string
function M.of(failure)
  local hint = failure.hint and failure.hint ~= '' and ('\n' .. failure.hint) or ''
  return failure.message .. hint
end

---@param failure ollama.Error
---@param level? 'info'|'warn'|'error'
function M.fail(failure, level)
  M.say(M.of(failure), level or 'error')
end

--- Tells of a failure, except of the host's death, of which the person was told already.
---@param failure? ollama.Error
function M.tell(failure)
  if not failure or failure.code == 'HOST_EXITED' then
    return
  elseif failure.code == 'CANCELLED' then
    return M.whisper(failure.message)
  end
  M.fail(failure)
end

--- Says something that is not worth a message in the history: one line, gone with the next one; in a float for some seconds
--- where the line is too short.
---@param text string
function M.whisper(text)
  clear_command_line()
  local notice = require('ollama-remote.notice')
  if not notice.fits(text) then
    return notice.show(text, 'info')
  end
  vim.api.nvim_echo({ { text, 'Comment' } }, false, {})
end

--- Takes the msgpack nulls out of what the host sent, so that an absent field is nil.
---@generic T
---@param value T
---@return T
function M.without_nulls(value)
  if value == vim.NIL then
    return nil
  end
  if type(value) ~= 'table' then
    return value
  end
  for key, inner in pairs(value) do
    value[key] = M.without_nulls(inner)
  end
  return value
end

return M
