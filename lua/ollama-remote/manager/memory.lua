-- What is in the memory of the servers: models are loaded, unloaded and kept there; the marked ones, or the one under the
-- cursor.
local M = {}

local marks = require('ollama-remote.manager.marks')
local message = require('ollama-remote.message')
local work = require('ollama-remote.manager.work')

---@param models ollama.ModelRow[]
---@return string
local function named(models)
  return #models == 1 and models[1].ref or ('%d models'):format(#models)
end

---@param models ollama.ModelRow[]
---@param keep_alive? string|integer
local function load(models, keep_alive)
  marks.clear()
  for _, model in ipairs(models) do
    local params = work.about(model, { keep_alive = keep_alive })
    work.start(model, 'loading …', 'models.load', params)
  end
end

function M.load()
  load(work.installed())
end

---@param models ollama.ModelRow[]
local function unload(models)
  marks.clear()
  for _, model in ipairs(models) do
    work.start(model, 'unloading …', 'models.unload', work.about(model))
  end
end

function M.unload()
  local meant = work.installed()
  local models = vim.tbl_filter(function(model)
    return model.loaded ~= nil
  end, meant)
  if #models == 0 then
    local words = #meant == 1 and meant[1].ref .. ' is not loaded' or 'None of them is loaded'
    return #meant > 0 and message.whisper(words) or nil
  end
  local chats = work.users(models)
  if chats == '' then
    return unload(models)
  end
  require('ollama-remote.question').confirm({
    title = ('%sUnload %s?'):format(chats, named(models)),
    yes = #models == 1 and 'unload it' or 'unload them',
    no = #models == 1 and 'keep it loaded' or 'keep them loaded',
    loses = true,
    on_yes = function()
      unload(models)
    end,
  })
end

--- Ollama takes a duration, and -1 for as long as it runs.
---@type { [1]: string, [2]: string|integer }[]
local SPANS = {
  { '5 minutes', '5m' },
  { '1 hour', '1h' },
  { 'for ever', -1 },
}
local ANOTHER = 'another time …'

--- Whether Ollama would take it: seconds, or numbers each with its unit.
---@param text string
---@return boolean
local function is_span(text)
  local rest = text:gsub('^%-', ''):gsub('%d+%.?%d*[hms]', '')
  return tonumber(text) ~= nil or (text ~= '' and rest == '')
end

function M.keep()
  local models = work.installed()
  if #models == 0 then
    return
  end
  local choices = vim.tbl_map(function(span)
    return span[1]
  end, SPANS)
  choices[#choices + 1] = ANOTHER
  local options = { prompt = ('Keep %s in memory for'):format(named(models)), kind = 'ollama-keep' }
  vim.ui.select(choices, options, function(choice, index)
    if choice == ANOTHER then
      vim.ui.input({ prompt = 'For how long, as 90m or 24h: ' }, function(text)
        local span = vim.trim(text or ''):gsub('%s', '')
        if is_span(span) then
          load(models, tonumber(span) or span)
        elseif span ~= '' then
          message.whisper('A time is written as 90m, 24h or 1h30m')
        end
      end)
    elseif choice then
      load(models, SPANS[index][2])
    end
  end)
end

return M
