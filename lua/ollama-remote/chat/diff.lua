-- Two variants of a turn in Neovim's own diff mode, in a tab page of their own. Which ones is history.lua's.
local M = {}

local api = vim.api

---@class ollama.Variant
---@field text string
---@field name string
---@field at string

local opened = 0

---@param variants ollama.Variant[]
---@param index integer
---@return string number
---@return string facts
local function title_of(variants, index)
  local variant = variants[index]
  local time = variant.at ~= '' and (' · ' .. variant.at) or ''
  return ('‹%d/%d›'):format(index, #variants), variant.name .. time
end

---@param buffers integer[]
---@param origin integer the window to go back to
local function close(buffers, origin)
  for _, buffer in ipairs(buffers) do
    if api.nvim_buf_is_valid(buffer) then
      api.nvim_buf_delete(buffer, { force = true })
    end
  end
  if api.nvim_win_is_valid(origin) then
    api.nvim_set_current_win(origin)
  end
end

---@param variants ollama.Variant[]
---@param index integer
---@return integer buffer
local function new_buffer(variants, index)
  local buffer = api.nvim_create_buf(false, true)
  -- What a tab page shows of it is what stands behind the last slash.
  local name = ('ollama-diff://%d/version %d of %d'):format(opened, index, #variants)
  pcall(api.nvim_buf_set_name, buffer, name)
  local lines = vim.split(variants[index].text, '\n', { plain = true })
  api.nvim_buf_set_lines(buffer, 0, -1, false, lines)
  for option, value in pairs({ bufhidden = 'wipe', modeline = false, modifiable = false }) do
    api.nvim_set_option_value(option, value, { buf = buffer })
  end
  vim.bo[buffer].filetype = 'markdown'
  return buffer
end

--- Makes the current window one half. Where its winbar is too long, who and when is cut, not the number.
---@param number string
---@param facts string
local function dress(number, facts)
  vim.cmd.diffthis()
  local options = {
    winfixbuf = false,
    -- Prose has lines that are longer than half a screen.
    wrap = true,
    linebreak = true,
    winbar = (' %s %%<%s%%=q closes '):format(number, (facts:gsub('%%', '%%%%'))),
  }
  for option, value in pairs(options) do
    api.nvim_set_option_value(option, value, { scope = 'local' })
  end
end

--- Shows two of them beside each other, in their order.
---@param variants ollama.Variant[]
---@param one integer
---@param other integer
function M.open(variants, one, other)
  if one == other then
    other = one == 1 and 2 or one - 1
  end
  opened = opened + 1
  local origin = api.nvim_get_current_win()
  local sides = { math.min(one, other), math.max(one, other) }
  local buffers = { new_buffer(variants, sides[1]), new_buffer(variants, sides[2]) }
  for index, side in ipairs(sides) do
    local place = index == 1 and 'tab' or 'vertical rightbelow'
    vim.cmd(('%s sbuffer %d'):format(place, buffers[index]))
    dress(title_of(variants, side))
    vim.keymap.set('n', 'q', function()
      close(buffers, origin)
    end, { buffer = buffers[index], nowait = true, desc = 'Ollama: close the comparison' })
  end
  vim.cmd('diffupdate')
  if variants[one].text == variants[other].text then
    require('ollama-remote.message').whisper('The two read the same')
  end
end

--- Compares the shown one with another; when there is no such one, it is asked for.
---@param variants ollama.Variant[]
---@param shown integer
---@param wanted integer
function M.choose(variants, shown, wanted)
  if variants[wanted] and wanted ~= shown then
    return M.open(variants, shown, wanted)
  end
  local others = vim.tbl_filter(function(index)
    return index ~= shown
  end, vim.fn.range(1, #variants))
  require('ollama-remote.choose').pick({
    title = ('Compare version %d with'):format(shown),
    kind = 'ollama-variant',
    items = others,
    columns = function(index)
      local first = vim.split(vim.trim(variants[index].text), '\n', { plain = true })[1]
      local number, facts = title_of(variants, index)
      return { number .. ' ' .. facts, vim.fn.strcharpart(first, 0, 50) }
    end,
    on_choice = function(index)
      if index then
        M.open(variants, shown, index)
      end
    end,
  })
end

return M
