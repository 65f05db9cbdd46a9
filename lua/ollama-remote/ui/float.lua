-- The chat as two floats, one upon the other, in the middle of the screen. The other places are in layout.lua.
local M = {}

local api = vim.api
local chats = require('ollama-remote.chats')

--- Of the screen, as long as that leaves a line of text its length.
local SHARE = 0.8
local LEAST = { columns = 80, rows = 24 }
--- Above and below, left and right.
local BORDER = 2
--- Below the floats of pickers and of completion.
local LEVEL = 45

---@return any
local function border()
  local ok, wanted = pcall(api.nvim_get_option_value, 'winborder', {})
  return ok and wanted ~= '' and vim.split(wanted, ',') or 'rounded'
end

---@param room integer
---@param least integer
---@return integer
local function share(room, least)
  return math.min(room, math.max(least, math.floor(room * SHARE)))
end

--- Where the two floats are to be, as the screen is now.
---@param prompt_height integer rows of the prompt's window
---@return { transcript: table, prompt: table }
function M.places(prompt_height)
  local room = vim.o.lines - vim.o.cmdheight
  local width, height = share(vim.o.columns, LEAST.columns), share(room, LEAST.rows)
  local column, row = math.floor((vim.o.columns - width) / 2), math.floor((room - height) / 2)
  local rows = math.max(1, height - prompt_height - 2 * BORDER)
  local function place(at, tall)
    return {
      relative = 'editor',
      row = at,
      col = column,
      width = math.max(1, width - BORDER),
      height = tall,
      border = border(),
      zindex = LEVEL,
    }
  end
  return { transcript = place(row, rows), prompt = place(row + rows + BORDER, prompt_height) }
end

--- Puts the floats where they are to be.
---@param chat ollama.Chat
---@param prompt_height integer
function M.place(chat, prompt_height)
  for part, place in pairs(M.places(prompt_height)) do
    local window = chats.window(chat, part)
    local now = window and api.nvim_win_get_config(window)
    local same = now and now.height == place.height and now.width == place.width
    if window and not (same and now.row == place.row and now.col == place.col) then
      api.nvim_win_set_config(window, place)
    end
  end
end

--- Goes from one float to the other as between windows, which Neovim does not by itself.
---@param chat ollama.Chat
---@param part 'transcript'|'prompt' that is left
---@param direction 'j'|'k'
local function step(chat, part, direction)
  local other = part == 'prompt' and 'transcript' or 'prompt'
  local window = chats.window(chat, other)
  if chat.layout == 'float' and window then
    return api.nvim_set_current_win(window)
  end
  vim.cmd.wincmd({ direction, count = vim.v.count1 })
end

--- Maps the keys that go to the window above and below.
---@param chat ollama.Chat
function M.map_steps(chat)
  for part, direction in pairs({ prompt = 'k', transcript = 'j' }) do
    local arrow = direction == 'k' and '<Up>' or '<Down>'
    for _, key in ipairs({ direction, '<C-' .. direction .. '>', arrow }) do
      vim.keymap.set('n', '<C-w>' .. key, function()
        step(chat, part, direction)
      end, { buffer = chat.buffers[part], desc = 'Ollama: to the other float' })
    end
  end
end

return M
