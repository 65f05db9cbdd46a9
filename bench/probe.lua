-- Measures inside Neovim. Moments are milliseconds of the monotonic clock, which the bench's own process shares.
local M = {}

local api = vim.api

local TICK_MS = 2

---@return number
local function now()
  return vim.uv.hrtime() / 1e6
end

M.now = now

---@type table<string, number>
local seen = {}
---@type string[]
local expected = {}

---@type integer?
local transcript = nil

--- The transcript's buffer, watched from its first asking on.
---@return integer
function M.transcript()
  for _, buffer in ipairs(api.nvim_list_bufs()) do
    if vim.bo[buffer].filetype == 'ollama-chat' and buffer ~= transcript then
      transcript = buffer
      api.nvim_buf_attach(buffer, false, {
        on_lines = function(_, _, _, first, _, last)
          M.look(buffer, first, last)
        end,
      })
    end
  end
  assert(transcript, 'there is no transcript')
  return transcript
end

--- Notes when the next expected text came. It is looked for in changed lines only, one text at a time.
---@param buffer integer
---@param first integer
---@param last integer
function M.look(buffer, first, last)
  if #expected == 0 then
    return
  end
  local at = now()
  local text = table.concat(api.nvim_buf_get_lines(buffer, first, last, false), '\n')
  while expected[1] and text:find(expected[1], 1, true) do
    seen[table.remove(expected, 1)] = at
  end
end

--- Texts to wait for, in their order.
---@param texts string[]
function M.expect(texts)
  M.transcript()
  expected, seen = texts, {}
end

---@return table<string, number>
function M.seen()
  return seen
end

---@param text string
---@return boolean whether the transcript holds it in one piece
function M.holds(text)
  local lines = api.nvim_buf_get_lines(M.transcript(), 0, -1, false)
  return table.concat(lines, '\n'):find(text, 1, true) ~= nil
end

--- What colours the transcript.
---@return string
function M.highlighting()
  local buffer = M.transcript()
  if vim.treesitter.highlighter.active[buffer] then
    return 'treesitter'
  end
  return vim.bo[buffer].syntax ~= '' and 'syntax' or 'none'
end

---@type uv.uv_timer_t?
local timer = nil
---@type number[]
local delays = {}
---@type number[]
local keys = {}

--- From here on: how late a timer of the main loop is, and when each <F5> gets to its mapping.
function M.start()
  delays, keys = {}, {}
  vim.keymap.set({ 'n', 'i', 'x' }, '<F5>', function()
    keys[#keys + 1] = now()
  end)
  local last = now()
  timer = assert(vim.uv.new_timer())
  timer:start(TICK_MS, TICK_MS, function()
    local at = now()
    delays[#delays + 1] = math.max(0, at - last - TICK_MS)
    last = at
  end)
end

---@return { delays: number[], keys: number[] }
function M.stop()
  if timer then
    timer:stop()
    timer:close()
    timer = nil
  end
  return { delays = delays, keys = keys }
end

--- Puts a prompt where the person would have typed it.
---@param text string
function M.write_prompt(text)
  vim.cmd.stopinsert()
  api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, '\n', { plain = true }))
end

return M
