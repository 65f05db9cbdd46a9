// Servers that are down, over a real sshd: both lists say what fits the case, and have the keys for it.
import { test } from 'vitest'
import { describeWithNeovim, describeWithSshd } from '../../support/real-parts.ts'
import { HTML, startJunk } from './junk.ts'
import { startRelay } from './relay.ts'
import { sharedSshd, startWorld, type WorldOptions } from './world.ts'

/** A port at which nothing listens. */
async function freePort(): Promise<number> {
  const { url, server } = await startJunk('')
  await new Promise((resolve) => server.close(resolve))
  return Number(new URL(url).port)
}

/** Each case with what its section says, when `r` and, over SSH, `S` are the keys for it. */
const CASES: [string, () => Promise<WorldOptions>, RegExp][] = [
  [
    'no way to the machine',
    async () => ({ ssh: { port: await freePort() } }),
    /SSH_UNREACHABLE[\s\S]* r tries again · (:Ollama servers|t) tests the way\./,
  ],
  [
    'a service that does not run',
    async () => ({ url: `http://127.0.0.1:${await freePort()}` }),
    /API_UNAVAILABLE[\s\S]*Nothing listens[\s\S]* r tries again · S looks at the service\./,
  ],
  [
    'another program at its port',
    async () => ({ url: (await startJunk(HTML)).url }),
    /API_PROTOCOL[\s\S]* r tries again · S looks at the service\./,
  ],
]

describeWithSshd('a server that is down', (openssh) => {
  const sshd = sharedSshd(openssh)

  describeWithNeovim('in the lists', (nvim) => {
    test.each(CASES)('%s', async (_, options, words) => {
      const world = await startWorld(nvim, sshd(), await options())
      await world.nvim.type(':Ollama models<CR>')
      await world.nvim.waitForScreen(words)
      await world.nvim.type('q:Ollama servers<CR>')
      await world.nvim.waitForScreen(/gpu \* +idle|ready|failed|waiting/)
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(words)
    })

    test.each([':Ollama models', ':Ollama servers'])(
      '%s: the service is looked at, if the person agrees',
      async (list) => {
        const world = await startWorld(nvim, sshd(), { url: `http://127.0.0.1:${await freePort()}` })
        await world.nvim.type(`${list}<CR>`)
        await world.nvim.waitForScreen(/gpu/)
        if (list === ':Ollama servers') await world.nvim.type('<CR>')
        await world.nvim.waitForScreen(/S looks at the service/)
        await world.nvim.type('S')
        await world.nvim.waitForScreen(
          /Look at the service of Ollama on gpu\?[\s\S]*1: Yes, run `systemctl status ollama`/,
        )
        await world.nvim.type('1<CR>')
        await world.nvim.waitForScreen(/ollama serve|systemctl start ollama|OLLAMA_HOST/)
      },
    )

    test('one key tries again', async () => {
      const relay = await startRelay(sshd().port)
      await relay.close()
      const knownHosts = `[127.0.0.1]:${relay.port} ${sshd().hostKey.publicLine}\n`
      const world = await startWorld(nvim, sshd(), { ssh: { port: relay.port }, knownHosts })
      await world.nvim.type(':Ollama servers<CR>')
      await world.nvim.waitForScreen(/gpu \* +idle/)
      await world.nvim.type('<CR>')
      await world.nvim.waitForScreen(/SSH_UNREACHABLE/)
      await relay.open()
      await world.nvim.type('r')
      await world.nvim.waitForScreen(/● gpu \* +ready/)
    })

    test('nothing installed', async () => {
      const world = await startWorld(nvim, sshd(), { ollama: { models: [] } })
      await world.nvim.type(':Ollama models<CR>')
      await world.nvim.waitForScreen(/● gpu.*0 models\s+No model is installed there: p pulls one by its name\./)
    })
  })
})
