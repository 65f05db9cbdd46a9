-- One list while it is shown: its rows as they come, and its one end. How it looks is the adapters'.
local M = {}

local message = require('ollama-remote.message')

--- What an adapter is given. It calls `close` once it is closed, in whatever way; only the first call counts.
---@class ollama.List
---@field title string
---@field kind string
---@field query string what stands in the search when it opens
---@field is_live boolean whether `rows` is to be asked anew with each query; else it is asked once, and matched here
---@field is_soon_enough boolean whether its first rows are shown alone by who cannot show more later
---@field actions ollama.Action[]
---@field rows fun(query: string, on_rows: fun(rows: ollama.Row[]), on_done: fun()) ends the asking before
---@field row fun(index: integer): ollama.Row? of the present query or the one before it
---@field meant fun(index?: integer, query?: string, callback: fun(row?: ollama.Row)) the row that a person means who leaves the list with this query: where its rows were not there yet, the first of them
---@field count? integer how many rows there are, where that is known beforehand
---@field preview? fun(row: ollama.Row, callback: ollama.ShowPreview)
---@field close fun(row?: ollama.Row, action?: ollama.Action)
---@field is_closed fun(): boolean
---@field try fun(action: fun()) runs it; if it throws, that is told and the list closed

--- Runs what is not ours: a list that cannot be shown must end all the same, and be told of in one line.
---@param action fun()
---@return boolean
local function try(action)
  local ok, thrown = pcall(action)
  if not ok then
    local first_line = vim.split(tostring(thrown), '\n', { plain = true })[1]
    message.say('The list failed: ' .. first_line, 'error')
  end
  return ok
end

--- Where rows come from: `items` is a source that is done at once.
---@param spec ollama.ChooseSpec
---@return ollama.Source
local function source_of(spec)
  return spec.source
    or function(_, on_batch, on_done)
      on_batch(spec.items or {})
      on_done()
    end
end

---@class ollama.Stream
---@field spec ollama.ChooseSpec
---@field make fun(items: any[]): ollama.Row[]
---@field query string what was asked last
---@field asking integer counts the askings, so that what an ended one still says is not heard
---@field cancel? fun()
---@field present table<integer, ollama.Row>
---@field before table<integer, ollama.Row> a row may be chosen while its list is being replaced
local Stream = {}
Stream.__index = Stream

---@param spec ollama.ChooseSpec
---@return ollama.Stream
local function stream_of(spec)
  local make = require('ollama-remote.choose.rows').maker({
    columns = spec.columns or function(item)
      return { tostring(item) }
    end,
    right = spec.right,
    widths = spec.widths,
    text = spec.text,
  })
  local stream = { spec = spec, make = make, query = '', asking = 0, present = {}, before = {} }
  return setmetatable(stream, Stream)
end

function Stream:stop()
  self.asking = self.asking + 1
  local cancel = self.cancel
  self.cancel = nil
  if cancel then
    try(cancel)
  end
end

---@param items any[]
---@return ollama.Row[]
function Stream:take(items)
  local rows = self.make(items)
  for _, row in ipairs(rows) do
    self.present[row.index] = row
  end
  return rows
end

---@param query string
---@param on_rows fun(rows: ollama.Row[])
---@param on_done fun()
function Stream:ask(query, on_rows, on_done)
  self:stop()
  self.query = query
  self.present, self.before = {}, self.present
  local mine, is_done = self.asking, false
  local cancel = source_of(self.spec)(query, function(items)
    if mine == self.asking and #items > 0 then
      on_rows(self:take(items))
    end
  end, function(failure)
    if mine ~= self.asking or is_done then
      return
    end
    is_done, self.cancel = true, nil
    if failure then
      message.fail(failure)
    end
    on_done()
  end)
  if mine == self.asking and not is_done then
    self.cancel = cancel
  end
end

--- Who types fast is ahead of the rows: what is highlighted when he presses <CR> may belong to what he typed before.
---@param index? integer
---@param query? string
---@param callback fun(row?: ollama.Row)
function Stream:meant(index, query, callback)
  local row = index and self.present[index]
  if not query or row and vim.trim(query) == vim.trim(self.query) then
    return callback(row or index and self.before[index])
  end
  local is_told = false
  local function tell(found)
    if not is_told then
      is_told = true
      callback(found)
    end
  end
  self:ask(query, function(rows)
    tell(rows[1])
  end, tell)
end

--- Makes the list of a specification. `again` opens it anew, for an action that leaves it in place.
---@param spec ollama.ChooseSpec
---@param again fun()
---@return ollama.List
function M.new(spec, again)
  local stream = stream_of(spec)
  local closed = false
  local function close(chosen, action)
    if closed then
      return
    end
    closed = true
    stream:stop()
    try(function()
      spec.on_choice(not action and chosen and chosen.item or nil)
    end)
    if action and chosen then
      try(function()
        action.run(chosen.item, again)
      end)
    end
  end
  return {
    title = spec.title,
    kind = spec.kind or 'ollama',
    query = spec.query or '',
    is_live = spec.source ~= nil and spec.live == true,
    is_soon_enough = spec.is_soon_enough == true,
    actions = spec.actions or {},
    rows = function(query, on_rows, on_done)
      stream:ask(query, on_rows, on_done)
    end,
    row = function(index)
      return stream.present[index] or stream.before[index]
    end,
    meant = function(index, query, callback)
      stream:meant(index, query, callback)
    end,
    count = spec.items and #spec.items,
    preview = spec.preview and function(row, callback)
      spec.preview(row.item, callback)
    end,
    close = close,
    try = function(action)
      if not try(action) then
        close()
      end
    end,
    is_closed = function()
      return closed
    end,
  }
end

return M
