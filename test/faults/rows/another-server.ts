// For a server that cannot be mended: another one stands beside it, and must go on working.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { WorldOptions } from '../../nvim/chat/world.ts'
import { freePort } from '../../support/free-port.ts'
import type { Stage } from '../stage.ts'

interface Broken {
  ssh?: { host: string; port: number }
  url?: string
}

/** The server `gpu` is the broken one, `other` leads through the proxy to the double. */
export async function besideAnother(stage: Stage, broken: Broken): Promise<WorldOptions> {
  const { proxy, sshd, folder } = stage
  stage.servers = 2
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const known_hosts = join(folder, 'known_hosts')
  await writeFile(known_hosts, `${stage.knownHostsLine()}\n`)
  const ssh = { host: proxy.host, port: proxy.port, user: sshd.user, identity_file: sshd.clientKey.path, known_hosts }
  return {
    ollama: { port },
    setup: { servers: { gpu: { ssh: { ...ssh, ...broken.ssh }, url: broken.url ?? url }, other: { ssh, url } } },
  }
}

/** The question that still waits for the broken server is taken back. */
export async function turnToAnother({ world, look, until }: Stage): Promise<void> {
  if ((await look()).state.phase === 'waiting') {
    await world.nvim.type('<C-c>')
    await until(async () => (await world.promptText()) !== '', 5_000)
    await world.nvim.type('<Esc>ggdG')
  }
  await world.nvim.command('Ollama model other:plain:latest')
  await world.nvim.waitForScreen(/other:plain:latest/)
}
