-- The one door to every list that a person chooses from. What a list looks like is in choose/, one file for each picker.
local M = {}

--- Something else that can be done with the chosen item. Where a picker has no keys (`select`), there are commands for it.
---@class ollama.Action
---@field key string in Neovim's notation, `<C-d>`
---@field name string what it does, in a word or two
---@field run fun(item: any, again: fun()) runs when the list has closed; `again` opens it anew

--- Finds items: calls `on_batch` with some whenever there are some, newest or best first and a few hundred at a time at
--- most, so that the editor goes on between them, and `on_done` once, with a failure to be told if there was one. Answers
--- what ends it before.
---@alias ollama.Source fun(query: string, on_batch: fun(items: any[]), on_done: fun(failure?: ollama.Error)): fun()?

--- Shows a preview; `marks` are what was searched for, where that is known.
---@alias ollama.ShowPreview fun(lines: string[], filetype?: string, marks?: ollama.Mark[])

---@class ollama.ChooseSpec
---@field title string
---@field kind? string for whoever has overridden vim.ui.select
---@field items? any[]
---@field source? ollama.Source in place of `items`
---@field live? boolean whether the source is asked again with what is typed; else with `query` once, and matched by line
---@field is_soon_enough? boolean its first batch is shown alone where a picker cannot show more later
---@field query? string
---@field columns? fun(item: any): string[]
---@field right? table<integer, boolean> columns that are aligned at their right
---@field widths? table<integer, integer> columns of a fixed width: where items come in batches, these stay aligned
---@field text? fun(item: any): string what is matched, if more than what is shown
---@field preview? fun(item: any, callback: ollama.ShowPreview)
---@field actions? ollama.Action[]
---@field on_choice fun(item?: any) called exactly once; without an item when the list was closed or an action was taken

--- Shows a list. It opens when no question of the host stands, for their keys must not be taken for each other's.
---@param spec ollama.ChooseSpec
function M.pick(spec)
  local list = require('ollama-remote.choose.list').new(spec, function()
    M.pick(spec)
  end)
  -- The host waits for the verb's answer in which this may have been called, and the person may take his time.
  require('ollama-remote.ask').when_free(function()
    list.try(function()
      require('ollama-remote.choose.backend').adapter().open(list)
    end)
  end)
end

return M
