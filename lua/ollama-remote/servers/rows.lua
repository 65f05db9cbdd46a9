-- How servers look as text: aligned columns that fit a width, and under what failed its sentence. Pure: no buffer here.
local M = {}

local columns = require('ollama-remote.columns')
local cut = columns.cut

---@class ollama.Server a row of the host's, see `ServerRow` in src/rpc/shapes.ts
---@field name string
---@field is_default boolean
---@field state string
---@field address string
---@field transport string
---@field reason? string
---@field login? string
---@field round_trip_ms? number
---@field retry_at? number milliseconds since the epoch
---@field error? ollama.Error
---@field url string
---@field ssh? string
---@field origin 'setup'|'file'|'both'|'none'

---@class ollama.ServerDetails
---@field version? string
---@field loaded? string[]
---@field round_trip_ms? number
---@field error? ollama.Error

---@class ollama.ServerMark a highlight: 0-based line, columns in bytes
---@field line integer
---@field from integer
---@field to integer
---@field group string

---@class ollama.ServerPicture
---@field lines string[]
---@field marks ollama.ServerMark[]
---@field servers table<integer, string> the server that a line belongs to, by 1-based line

--- Glyph, words and highlight of each state.
---@type table<string, { [1]: string, [2]: string, [3]: string }>
M.states = {
  idle = { '○', 'idle', 'OllamaRemoteDim' },
  closed = { '○', 'idle', 'OllamaRemoteDim' },
  asking = { '○', 'asking', 'OllamaRemoteDim' },
  connecting = { '◐', 'connecting', 'OllamaRemoteRunning' },
  authenticating = { '◐', 'logging in', 'OllamaRemoteRunning' },
  ready = { '●', 'ready', 'OllamaRemoteReady' },
  lost = { '◌', 'lost', 'OllamaRemoteNote' },
  waiting = { '◌', 'waiting', 'OllamaRemoteNote' },
  failed = { '✗', 'failed', 'OllamaRemoteFailed' },
}

local GAP = '  '
local INDENT = '    '
local LEAST_ADDRESS = 14
local MOST_NAME = 20
local LEAST_LOADED = 14
local MOST_LOADED = 28

--- Without SSH there is no link to be up or down: there the answer counts. Where the link is up and Ollama does not
--- answer, all is not well.
---@param server ollama.Server
---@param details? ollama.ServerDetails
---@return string state
---@return ollama.Error? failure
function M.state(server, details)
  local failure = details and details.error
  if server.transport == 'direct' then
    return failure and 'failed' or details and details.version and 'ready' or 'asking', failure
  end
  if server.state == 'ready' and failure then
    return 'failed', failure
  end
  return server.state, server.error
end

---@param ms? number
---@return string
local function milliseconds(ms)
  return ms and ('%.0f ms'):format(ms) or ''
end

--- A fingerprint in full is for the question of trust; here it only tells keys apart.
---@param login? string
---@return string
local function short_login(login)
  return ((login or ''):gsub('(SHA256:%w%w%w%w%w%w)[%w+/]+', '%1…'))
end

---@param server ollama.Server
---@param details ollama.ServerDetails
---@param now number milliseconds since the epoch
---@return table<string, string>
local function cells(server, details, now)
  local state, failure = M.state(server, details)
  local words = (M.states[state] or M.states.idle)[2]
  if state == 'waiting' and server.retry_at then
    words = ('%s %d s'):format(words, math.max(0, math.ceil((server.retry_at - now) / 1000)))
  end
  local loaded = details.loaded or {}
  return {
    name = cut(server.name, MOST_NAME) .. (server.is_default and ' *' or ''),
    state = words,
    full_state = words .. (failure and state == 'failed' and (' ' .. failure.code) or ''),
    address = server.address,
    transport = server.transport == 'auto' and '' or server.transport,
    login = short_login(server.login),
    trip = milliseconds(details.round_trip_ms or server.round_trip_ms),
    version = details.version or '',
    loaded = details.loaded and #loaded == 0 and 'none'
      or cut(table.concat(loaded, ' '), MOST_LOADED),
    count = details.loaded and tostring(#loaded) or '',
  }
end

local TITLES = {
  name = 'SERVER',
  state = 'STATE',
  full_state = 'STATE',
  address = 'ADDRESS',
  transport = 'BY',
  login = 'LOGIN',
  trip = 'TRIP',
  version = 'OLLAMA',
  loaded = 'LOADED',
  count = 'LOADED',
}

--- From the fullest to the shortest: what matters least goes first. An address may be cut to its own least width.
---@type { least: integer, [integer]: string }[]
local LAYOUTS = {
  {
    least = 44,
    'name',
    'full_state',
    'address',
    'transport',
    'login',
    'trip',
    'version',
    'loaded',
  },
  { least = 34, 'name', 'state', 'address', 'transport', 'login', 'trip', 'version', 'loaded' },
  { least = 26, 'name', 'state', 'address', 'transport', 'trip', 'version', 'loaded' },
  { least = 20, 'name', 'state', 'address', 'transport', 'trip', 'version', 'count' },
  { least = 18, 'name', 'state', 'address', 'trip', 'version', 'count' },
  { least = 14, 'name', 'state', 'address', 'version' },
  { least = 0, 'name', 'state', 'address' },
}

---@param rows table<string, string>[]
---@param column string
---@return integer
local function width_of(rows, column)
  local width = 0
  for _, row in ipairs(rows) do
    width = math.max(width, vim.fn.strdisplaywidth(row[column]))
  end
  -- A column that nothing stands in needs no title.
  return width == 0 and 0 or math.max(width, #TITLES[column])
end

---@param rows table<string, string>[]
---@param layout string[]
---@return table<string, integer> widths
---@return integer total
local function measure(rows, layout)
  local widths, total = {}, 2
  for _, column in ipairs(layout) do
    widths[column] = width_of(rows, column)
    total = total + (widths[column] > 0 and widths[column] + #GAP or 0)
  end
  return widths, total
end

--- The fullest layout that fits.
---@param rows table<string, string>[]
---@param width integer
---@return string[] layout
---@return table<string, integer> widths
local function fit(rows, width)
  for _, layout in ipairs(LAYOUTS) do
    local widths, total = measure(rows, layout)
    local over = math.max(0, total - width)
    if widths.loaded then
      local given = math.min(over, math.max(0, widths.loaded - LEAST_LOADED))
      widths.loaded, over = widths.loaded - given, over - given
    end
    local left = widths.address - over
    if left >= math.min(layout.least, widths.address) or layout.least == 0 then
      widths.address = math.max(math.min(LEAST_ADDRESS, widths.address), left)
      return layout, widths
    end
  end
  error('the last layout is always taken')
end

---@param row table<string, string>
---@param layout string[]
---@param widths table<string, integer>
---@return string
local function join(row, layout, widths)
  local parts = {}
  for _, column in ipairs(layout) do
    if widths[column] > 0 then
      local text = cut(row[column], widths[column])
      local is_number = column == 'trip' or column == 'count'
      parts[#parts + 1] = columns.pad(text, widths[column], is_number)
    end
  end
  return (table.concat(parts, GAP):gsub('%s+$', ''))
end

--- What stands under a server: why it failed or was lost, and why it goes by the transport that it goes by.
---@param server ollama.Server
---@param details ollama.ServerDetails
---@param has_code boolean whether the code stands in the row
---@return string[]
local function sentences(server, details, has_code)
  local state, failure = M.state(server, details)
  local all = {}
  if failure and state ~= 'connecting' and state ~= 'authenticating' then
    local code = has_code and state == 'failed' and '' or failure.code .. ': '
    all[#all + 1] = code .. failure.message
    all[#all + 1] = failure.hint
    local about = { name = server.name, has_ssh = server.transport ~= 'direct' }
    all[#all + 1] = require('ollama-remote.servers.guidance').of(failure, about, 'servers')
  end
  if server.reason then
    all[#all + 1] = ('By %s: %s'):format(server.transport, server.reason)
  end
  return all
end

---@param servers ollama.Server[]
---@param options { details: table<string, ollama.ServerDetails>, width: integer, now: number }
---@return ollama.ServerPicture
function M.picture(servers, options)
  local rows = vim.tbl_map(function(server)
    return cells(server, options.details[server.name] or {}, options.now)
  end, servers)
  local layout, widths = fit(rows, options.width)
  local picture = { lines = { '   ' .. join(TITLES, layout, widths) }, marks = {}, servers = {} }
  local function mark(from, to, group)
    table.insert(picture.marks, { line = #picture.lines - 1, from = from, to = to, group = group })
  end
  mark(0, #picture.lines[1], 'OllamaRemoteDim')
  for index, server in ipairs(servers) do
    local details = options.details[server.name] or {}
    local state = M.states[M.state(server, details)] or M.states.idle
    local glyph = ' ' .. state[1] .. ' '
    table.insert(picture.lines, glyph .. join(rows[index], layout, widths))
    picture.servers[#picture.lines] = server.name
    mark(0, #glyph, state[3])
    mark(#glyph, #glyph + #server.name, 'OllamaRemoteServer')
    local from = #glyph + widths.name + #GAP
    mark(from, math.min(from + #rows[index][layout[2]], #picture.lines[#picture.lines]), state[3])
    for _, sentence in ipairs(sentences(server, details, layout[2] == 'full_state')) do
      for _, line in ipairs(columns.wrap(sentence, options.width - #INDENT - 1)) do
        table.insert(picture.lines, INDENT .. line)
        picture.servers[#picture.lines] = server.name
        local code = #(line:match('^[A-Z]+_[A-Z_]+:') or '')
        mark(#INDENT, #INDENT + code, state[3])
        mark(#INDENT + code, #INDENT + #line, 'OllamaRemoteDim')
      end
    end
  end
  return picture
end

return M
