-- The questions that a person answers before something is done: one look, one order. Those of the host wait in ask.lua
-- until they can be put, lists are choose.lua's.
local M = {}

---@class ollama.Answer
---@field text string what will happen
---@field run? fun()

---@class ollama.Confirmation
---@field title string what is asked about, as a question
---@field yes string what will happen, after `Yes, `
---@field no string what stays, after `No, `
---@field loses? boolean something goes by a yes, which so stands last
---@field on_yes fun()
---@field on_no? fun() also when it is left unanswered

--- Shows a question at once. One of the answers runs, once.
---@param title string
---@param answers ollama.Answer[]
---@param on_none? fun() it was left unanswered, which is no yes to anything
function M.show(title, answers, on_none)
  local texts, is_answered = {}, false
  for index, answer in ipairs(answers) do
    texts[index] = answer.text
  end
  vim.ui.select(texts, { prompt = title, kind = 'ollama-confirm' }, function(choice)
    local chosen = vim.iter(answers):find(function(answer)
      return answer.text == choice
    end)
    local run = chosen and chosen.run or (not chosen and on_none)
    if run and not is_answered then
      run()
    end
    is_answered = true
  end)
end

--- Shows it at once, since the keys that come may answer it already; after a question of the host where one stands. What
--- the host has answered must be done with first: it waits for that.
---@param title string
---@param answers ollama.Answer[]
---@param on_none? fun()
function M.put(title, answers, on_none)
  local ask = require('ollama-remote.ask')
  if ask.is_free() then
    return M.show(title, answers, on_none)
  end
  ask.when_free(function()
    M.show(title, answers, on_none)
  end)
end

--- Asks a yes or no, as `put` does.
---@param asked ollama.Confirmation
function M.confirm(asked)
  local yes = { text = 'Yes, ' .. asked.yes, run = asked.on_yes }
  local no = { text = 'No, ' .. asked.no, run = asked.on_no }
  M.put(asked.title, asked.loses and { no, yes } or { yes, no }, asked.on_no)
end

return M
