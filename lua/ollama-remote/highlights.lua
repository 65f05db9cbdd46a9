-- The plugin's highlight groups, each a link that a colour scheme or the user may set otherwise.
local M = {}

---@type table<string, string>
M.links = {
  OllamaRemoteUser = 'Identifier',
  OllamaRemoteModel = 'Title',
  OllamaRemoteSystem = 'PreProc',
  OllamaRemoteDim = 'Comment',
  OllamaRemoteFold = 'Comment',
  OllamaRemoteReceipt = 'Comment',
  OllamaRemoteThinking = 'Comment',
  OllamaRemotePhase = 'DiagnosticInfo',
  OllamaRemoteQueued = 'Comment',
  OllamaRemoteEditing = 'DiagnosticWarn',
  OllamaRemoteNote = 'DiagnosticWarn',
  OllamaRemoteFound = 'Search',
  OllamaRemoteFailed = 'DiagnosticError',
  OllamaRemoteRunning = 'DiagnosticInfo',
  OllamaRemoteReady = 'DiagnosticOk',
  OllamaRemoteServer = 'Directory',
  OllamaRemotePassed = 'DiagnosticOk',
}

function M.define()
  for name, link in pairs(M.links) do
    vim.api.nvim_set_hl(0, name, { link = link, default = true })
  end
end

M.define()

-- `:highlight clear`, which a colour scheme begins with, takes the links away.
vim.api.nvim_create_autocmd('ColorScheme', {
  group = vim.api.nvim_create_augroup('ollama-remote.highlights', { clear = true }),
  callback = M.define,
})

return M
