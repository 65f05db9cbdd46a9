// The models of a server behind a real sshd, looked after from Neovim: what is shown is what the server says.
import { expect, test } from 'vitest'
import { defineModel } from '../../support/ollama-double/models.ts'
import { NO_SUCH_MODEL } from '../../support/ollama-double/pull-script.ts'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { sharedSshd, startWorld, type World } from './world.ts'

const askedFor = (world: World, path: string) => world.ollama.requests.filter((request) => request.path === path).length

describeWithSshd('the models', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('over SSH', (nvim) => {
    test('are shown, loaded, copied and deleted over one connection', async () => {
      const world = await startWorld(nvim, sshd(), { columns: 120 })
      await world.nvim.type(' oM')
      await world.nvim.waitForScreen(/● gpu {2}Ollama \d[\s\S]*thinker:8b \*/)
      await world.nvim.lua("vim.fn.search('plain')")
      await world.nvim.type('L')
      await world.nvim.waitForScreen(/● plain:latest .* (GPU|CPU|yes)/)
      await world.nvim.type('ymine<CR>')
      await world.nvim.waitForScreen(/mine:latest/)
      await world.nvim.lua("vim.fn.search('^   mine')")
      await world.nvim.type('dd')
      await world.nvim.waitForScreen(/Delete gpu:mine:latest/)
      await world.nvim.type('2<CR>')
      await world.nvim.waitForScreen((screen) => !/mine:latest .*GB/.test(screen))
      expect(world.logins()).toBe(1)
      expect(askedFor(world, '/api/show')).toBeLessThanOrEqual(3)
    })

    test('are pulled by name with a bar that stands while nothing comes, cancelled, and gone on with', async () => {
      const world = await startWorld(nvim, sshd(), { columns: 120 })
      world.ollama.publish(defineModel({ name: 'smollm2:135m' }))
      world.ollama.scriptPull('smollm2:135m', { stall: { at: 0.4, silent: true } })
      await world.nvim.type(' oM')
      await world.nvim.waitForScreen(/thinker:8b \*/)
      await world.nvim.type('p')
      await world.nvim.waitForScreen(/Pull to gpu:/)
      await world.nvim.type('smollm2:135<Tab><CR>')
      await world.nvim.waitForScreen(/smollm2:135m[^\n]*\n +█+░+ +\d+ %/)
      await world.nvim.lua("vim.fn.search('smollm2')")
      await world.nvim.type('x')
      await world.nvim.waitForScreen((screen) => !/░ +\d+ %/.test(screen))
      await world.ollama.waitUntil(() => world.ollama.abortedPulls === 1 && world.ollama.activePulls === 0)
      await world.nvim.type('p')
      await world.nvim.waitForScreen(/Pull to gpu:/)
      await world.nvim.type('smollm2:135m<CR>')
      await world.nvim.waitForScreen(/smollm2:135m +[\d.]+ (MB|GB)/)
    })

    test('that the registry does not have are said in plain words, until all is asked for anew', async () => {
      const world = await startWorld(nvim, sshd(), { columns: 120 })
      world.ollama.scriptPull('nope:latest', { error: NO_SUCH_MODEL })
      await world.nvim.type(' oM')
      await world.nvim.waitForScreen(/thinker:8b \*/)
      await world.nvim.type('p')
      await world.nvim.waitForScreen(/Pull to gpu:/)
      await world.nvim.type('nope<CR>')
      await world.nvim.waitForScreen(/nope:latest\n +✗ MODEL_NOT_FOUND: /)
      await world.nvim.type('r')
      await world.nvim.waitForScreen((screen) => !screen.includes('MODEL_NOT_FOUND:'))
    })
  })
})
