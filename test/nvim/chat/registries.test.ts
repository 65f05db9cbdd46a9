// What a host in a real Neovim finds out of date, over a real sshd and the double of a registry behind TLS.
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { ServerModels } from '../../../src/rpc/shapes.ts'
import { defineModel } from '../../support/ollama-double/models.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { contents, manifestOf } from '../../support/registry-double/published.ts'
import { startRegistryDouble } from '../../support/registry-double/registry-double.ts'
import { sharedSshd, startWorld, type World } from './world.ts'

const OLD = manifestOf(contents('old'))
const NEW = manifestOf(contents('new'))
const MODELS = ['fresh:4b', 'stale:4b', 'mine:latest', 'mira/secret:v1'].map((name) =>
  defineModel({ name, digest: name === 'mine:latest' ? 'ab'.repeat(32) : OLD.digest }),
)

/** Asks the host, and gives its answer. */
async function request(world: World, method: string, params: object): Promise<unknown> {
  await world.nvim.lua(
    `local method, params = ...
    _G.answer = nil
    require('ollama-remote.rpc').request(method, params, function(failure, value) _G.answer = { failure or value } end)`,
    method,
    params,
  )
  const [answer] = await world.nvim.waitForLua<[unknown]>('return _G.answer')
  return answer
}

describeWithSshd('models that are out of date', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('as a host finds them', (nvim) => {
    test.each(['here', 'server'] as const)('from %s, with what is to be fetched', async (from) => {
      const registry = await startRegistryDouble()
      onTestFinished(() => registry.stop())
      registry.publish('library/fresh/4b', { published: OLD, pushed: 1 })
      registry.publish('library/stale/4b', { published: NEW, pushed: 1 })
      registry.publish('mira/secret/v1', { answers: 'private' })
      const manifest = join(sshd().home, '.ollama/models/manifests/registry.ollama.ai/library/stale/4b')
      await mkdir(dirname(manifest), { recursive: true })
      await writeFile(manifest, OLD.bytes)
      const world = await startWorld(nvim, sshd(), {
        ollama: { models: MODELS },
        setup: { updates: { from: [from] } },
        env: registry.environment,
        init: `
          _G.rows = {}
          local verbs = require('ollama-remote.verbs')
          verbs.model_rows = function(rows) _G.rows[rows.server] = rows return vim.NIL end`,
      })
      await request(world, 'models.watch', { watch: 1 })
      expect(await request(world, 'updates.check', { server: 'gpu' })).toMatchObject({ checked: 4, available: 1 })
      await world.nvim.waitForLua(`
        local found = 0
        for _, row in ipairs((_G.rows.gpu or {}).models or {}) do
          if row.update and row.update.state ~= 'checking' then found = found + 1 end
        end
        return found == 4`)
      const { models } = await world.nvim.lua<ServerModels>('return _G.rows.gpu')
      const told = Object.fromEntries(models.map(({ name, update }) => [name, { ...update, checked: 0 }]))
      expect(told).toEqual({
        'fresh:4b': { state: 'current', checked: 0 },
        'stale:4b': { state: 'available', bytes: 2_000_000_485, checked: 0 },
        'mine:latest': {
          state: 'local',
          why: 'ollama.com has no model of this name: it was made here, or withdrawn there',
          checked: 0,
        },
        'mira/secret:v1': {
          state: 'unknown',
          why: 'it is private: ollama.com tells only the server itself, when it pulls',
          checked: 0,
        },
      })
    })

    test(':OllamaUpdate! fetches what is newer, says so once, and shows it to be current', async () => {
      const registry = await startRegistryDouble()
      onTestFinished(() => registry.stop())
      registry.publish('library/fresh/4b', { published: OLD, pushed: 1 })
      registry.publish('library/stale/4b', { published: NEW, pushed: 4_000_000_000 })
      const models = MODELS.slice(0, 2)
      const world = await startWorld(nvim, sshd(), { ollama: { models }, env: registry.environment })
      world.ollama.publish(defineModel({ name: 'stale:4b', digest: NEW.digest }))
      await world.nvim.type(':OllamaUpdate!<CR>')
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('Updated: gpu:stale:4b', 1, true) ~= nil")
      expect(world.ollama.requests.filter(({ path }) => path === '/api/pull')).toHaveLength(1)
      await world.nvim.type(':Ollama models<CR>')
      await world.nvim.waitForScreen((screen) => (screen.match(/current/g) ?? []).length === 2)
    })
  })
})
