// Pulls from a real Neovim: what it knows of them while the host has the server pull.
import { expect, test } from 'vitest'
import { defineModel } from '../../support/ollama-double/models.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld } from './world.ts'

const request = (method: string) =>
  `require('ollama-remote.rpc').request('${method}', { server = 'gpu', model = 'fresh:1b' }, function(failed) _G.failed = failed end)`
const state = '(_G.pull or {}).state'

/** What was told last of a pull. */
const WATCH = `
  local pulls = require('ollama-remote.models.pulls')
  local update = pulls.update
  pulls.update = function(pull)
    _G.pull = pull
    update(pull)
  end`

describeWithSshd('a pull', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('from Neovim', (nvim) => {
    test('is known with its bars, ends with its channel when cancelled, and is told when done', async () => {
      const world = await startWorld(nvim, sshd())
      world.ollama.publish(defineModel({ name: 'fresh:1b' }))
      world.ollama.scriptPull('fresh:1b', { stall: { at: 0.5, silent: true } })
      await world.nvim.lua(WATCH)
      await world.nvim.lua(request('pulls.start'))
      await world.nvim.waitForLua(`return ${state} == 'pulling' and (_G.pull.completed or 0) > 0`)
      await world.nvim.lua(request('pulls.cancel'))
      await world.ollama.waitUntil(() => world.ollama.abortedPulls === 1 && world.ollama.activePulls === 0)
      await world.nvim.waitForLua(`return ${state} == 'cancelled'`)
      await world.nvim.lua(request('pulls.start'))
      await world.nvim.waitForLua(`return ${state} == 'done'`)
      await world.nvim.waitForLua("return vim.fn.execute('messages'):find('Pulled: gpu:fresh:1b', 1, true) ~= nil")
      expect(world.ollama.models.map(({ name }) => name)).toContain('fresh:1b')
      expect(await world.nvim.lua('return _G.failed == nil')).toBe(true)
    })
  })
})
