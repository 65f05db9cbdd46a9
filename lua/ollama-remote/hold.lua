-- Keys pressed while the host looks at a secret that was just typed. Another question may follow, and who types blindly
-- means them for it: until that is known they reach no buffer.
local M = {}

--- After that the keys go where they would have gone, whatever the host is doing.
local MOST_MS = 3000

--- On no keyboard; it ends the waiting for a key.
local WAKE = vim.keycode('<F37>')

---@type { ended: boolean, more: boolean }?
local hold = nil

---@return boolean
function M.is_on()
  return hold ~= nil
end

--- Ends the hold.
---@param more boolean another question follows
function M.release(more)
  if hold and not hold.ended then
    hold.ended, hold.more = true, more
    vim.api.nvim_input('<F37>')
  end
end

--- Without a key for so long somebody has seen that nothing is asked any more.
local QUIET_MS = 1000

--- Drops the keys of whoever goes on typing a secret that is asked for no more: to the end of the line, or until he stops.
function M.drop()
  local woken, over = false, false
  local timer = assert(vim.uv.new_timer())
  local function wake()
    if not over then
      woken = true
      vim.api.nvim_input('<F37>')
    end
  end
  local key
  repeat
    timer:start(QUIET_MS, 0, vim.schedule_wrap(wake))
    local ok, pressed = pcall(vim.fn.getcharstr)
    key = ok and pressed or WAKE
  until key == WAKE or key == '\r' or key == '\27'
  over = true
  timer:stop()
  timer:close()
  if woken and key ~= WAKE then
    pcall(vim.fn.getcharstr)
  end
end

--- Takes all keys until it is released. Then those that were pressed meanwhile are dropped when a question follows, as
--- ssh does in a terminal, and typed anew when none does. Messages of the host are handled meanwhile.
---@return boolean more
function M.keys()
  local mine = { ended = false, more = false }
  hold = mine
  vim.defer_fn(function()
    if hold == mine then
      M.release(false)
    end
  end, MOST_MS)
  local keys = {}
  while true do
    local ok, key = pcall(vim.fn.getcharstr)
    if not ok or key == WAKE then
      break
    end
    keys[#keys + 1] = key
  end
  hold = nil
  if not mine.more then
    vim.api.nvim_feedkeys(table.concat(keys), 't', false)
  end
  return mine.more
end

return M
