-- The dialogues that add, change and remove a server: a few questions by vim.ui, a test, and then the host writes it.
local M = {}

local rpc = require('ollama-remote.rpc')
local message = require('ollama-remote.message')

local DEFAULT_URL = 'http://127.0.0.1:11434'
local TYPED = 'another one: user@host, or a url'

---@class ollama.ServerDraft
---@field name? string
---@field ssh string|false
---@field url? string
---@field before? { ssh: string|false, url: string } what stands there, when a server is changed

---@param text string
---@return boolean
local function is_url(text)
  return text:match('^https?://') ~= nil or text:match('^unix:/') ~= nil
end

---@param text? string
---@return string? trimmed, nil when nothing was written
local function written(text)
  local trimmed = vim.trim(text or '')
  return trimmed ~= '' and trimmed or nil
end

---@param prompt string
---@param default? string
---@param callback fun(text: string) not called when it is given up
local function input(prompt, default, callback)
  -- A list that was shown in the command line would stand there until the next key.
  vim.cmd.redraw()
  vim.ui.input({ prompt = prompt, default = default }, function(text)
    if text ~= nil then
      -- What was asked would stay in the command line.
      vim.api.nvim_echo({ { '' } }, false, {})
      callback(vim.trim(text))
    end
  end)
end

--- A name as it may stand before a model's: of `me@gpu.lab.example:22` it is `gpu`.
---@param place string
---@return string
function M.proposed_name(place)
  local host = place:gsub('^%a+://', ''):gsub('^.*@', ''):gsub('^%[', '')
  local label = host:match('^%d+%.%d+%.%d+%.%d+') or host:match('^[^%.:/%]]+') or 'server'
  return (label:gsub('[^%w_-]', '-'))
end

---@param name string
---@return string? problem
local function problem_of(name)
  if not name:match('^[%w_-]+$') then
    return 'letters, digits, - and _ only'
  end
  local taken = vim.iter(require('ollama-remote.servers').known()):any(function(server)
    return server.name == name and server.origin ~= 'none'
  end)
  return taken and 'there is one of that name' or nil
end

---@param proposed string
---@param callback fun(name: string)
---@param problem? string
local function ask_name(proposed, callback, problem)
  local prompt = problem and ('Name (%s): '):format(problem) or 'Name of the server: '
  input(prompt, proposed, function(name)
    local wrong = problem_of(name)
    if wrong then
      return ask_name(name, callback, wrong)
    end
    callback(name)
  end)
end

--- What is set: what was left as it was is not spoken of, so that it stays as it was written.
---@param draft ollama.ServerDraft
---@return { ssh?: string|false, url?: string }
local function changes(draft)
  local set, before = {}, draft.before or {}
  if draft.ssh ~= before.ssh then
    set.ssh = draft.ssh
  end
  if draft.url ~= before.url then
    set.url = draft.url
  end
  return set
end

---@param draft ollama.ServerDraft
local function save(draft)
  local params = { server = draft.name, draft = changes(draft) }
  rpc.request('servers.save', params, function(failure, saved)
    if failure then
      return message.tell(failure)
    end
    local note = saved.note and ('\n' .. saved.note) or ''
    message.say(('%s is kept in ollama_config.lua%s'):format(draft.name, note))
    require('ollama-remote.servers').refresh(draft.name)
  end)
end

--- Tests the draft, and keeps it when it is well or when that is wanted all the same.
---@param draft ollama.ServerDraft
---@param change fun() asks again
local function try(draft, change)
  local server = { name = draft.name, url = draft.url or DEFAULT_URL }
  local options = { draft = changes(draft) }
  options.on_done = function(test, failure)
    local test_module = require('ollama-remote.servers.test')
    -- Who closed it has given it up.
    if not test.window or not vim.api.nvim_win_is_valid(test.window) then
      return
    end
    if not failure then
      test_module.close(test)
      return save(draft)
    end
    local function closing(run)
      return function()
        test_module.close(test)
        run()
      end
    end
    local answers = {
      { text = 'No, change it', run = closing(change) },
      { text = 'No, give it up', run = closing(function() end) },
    }
    -- What the configuration refuses cannot be written.
    if failure.code ~= 'CONFIG_INVALID' then
      local keep = closing(function()
        save(draft)
      end)
      table.insert(answers, 2, { text = 'Yes, keep it all the same', run = keep })
    end
    local title = ('%s was not reached (%s). Keep it?'):format(draft.name, failure.code)
    vim.schedule(function()
      vim.cmd.redraw()
      require('ollama-remote.question').put(title, answers, answers[#answers].run)
    end)
  end
  require('ollama-remote.servers.test').show(server, options)
end

--- Asks for what is still missing.
---@param draft ollama.ServerDraft
local function complete(draft)
  local function with_url(url)
    draft.url = written(url)
    if draft.name then
      return try(draft, function()
        M.revise(draft)
      end)
    end
    ask_name(M.proposed_name(draft.ssh or draft.url or ''), function(name)
      draft.name = name
      with_url(draft.url)
    end)
  end
  if draft.ssh then
    return input('Ollama as seen from there: ', draft.url or DEFAULT_URL, with_url)
  end
  with_url(draft.url)
end

--- Takes `user@host`, an alias or a url as the answer to where a server is.
---@param draft ollama.ServerDraft
---@param place string
local function place_at(draft, place)
  local name, before = draft.name, draft.before
  if is_url(place) then
    return complete({ name = name, before = before, ssh = false, url = place })
  end
  -- The url of a server without ssh is an address in this network, which the other end may not know.
  local url = draft.ssh and draft.url or nil
  complete({ name = name, before = before, ssh = place, url = url })
end

local WHERE = 'user@host[:port], an alias, or a url: '

--- Asks again for what a draft holds.
---@param draft ollama.ServerDraft
function M.revise(draft)
  input(WHERE, draft.ssh or draft.url, function(place)
    if place ~= '' then
      place_at(draft, place)
    end
  end)
end

--- Asks for a new server, its host offered from ~/.ssh/config.
function M.add()
  rpc.request('servers.aliases', {}, function(failure, answer)
    local aliases = not failure and answer.aliases or {}
    local draft = { ssh = false }
    if #aliases == 0 then
      -- The host waits for this verb's answer, and the person may take his time.
      return vim.schedule(function()
        M.revise(draft)
      end)
    end
    require('ollama-remote.choose').pick({
      title = 'Which host has Ollama?',
      kind = 'ollama-server',
      items = vim.list_extend({ TYPED }, aliases),
      on_choice = function(choice)
        if choice == TYPED then
          return M.revise(draft)
        end
        if choice then
          place_at(draft, choice)
        end
      end,
    })
  end)
end

--- Asks for what may be changed of a server; what is not asked for stays as it is.
---@param server ollama.Server
function M.edit(server)
  if server.origin == 'none' then
    return message.say(
      ('%s is there by itself as long as no server is configured: add one'):format(server.name)
    )
  end
  local before = { ssh = server.ssh or false, url = server.url }
  M.revise({ name = server.name, ssh = before.ssh, url = before.url, before = before })
end

---@param server ollama.Server
local function remove(server)
  rpc.request('servers.remove', { server = server.name }, function(failure, removed)
    if failure then
      return message.tell(failure)
    end
    message.say(removed.note or (server.name .. ' is removed'))
    require('ollama-remote.servers').refresh()
  end)
end

---@param server ollama.Server
function M.remove(server)
  -- The host tells why one that does not stand in the file cannot be removed.
  if server.origin == 'setup' or server.origin == 'none' then
    return remove(server)
  end
  require('ollama-remote.question').confirm({
    title = ('Remove %s from ollama_config.lua?'):format(server.name),
    yes = 'remove it',
    no = 'keep it',
    loses = true,
    on_yes = function()
      remove(server)
    end,
  })
end

return M
