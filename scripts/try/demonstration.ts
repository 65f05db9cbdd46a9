import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { startOllamaDouble } from '../../test/support/ollama-double/ollama-double.ts'
import { startSshServerDouble } from '../../test/support/ssh-server-double.ts'
import type { World } from './world.ts'

/** An SSH server and an Ollama on loopback, whose answers are a demonstration. */
export async function startDemonstration(folder: string): Promise<World> {
  const ollama = await startOllamaDouble()
  const ssh = await startSshServerDouble()
  const keys = join(folder, 'ssh')
  mkdirSync(keys, { mode: 0o700 })
  const identity = join(keys, 'id_ed25519')
  const knownHosts = join(keys, 'known_hosts')
  writeFileSync(identity, ssh.clientKey, { mode: 0o600 })
  writeFileSync(knownHosts, `${ssh.knownHostsLine}\n`)
  return {
    description: 'A demonstration: a stand-in for Ollama answers here, not a model.',
    patienceMs: 60_000,
    setup: {
      servers: {
        demo: {
          ssh: { host: ssh.host, port: ssh.port, user: ssh.user, identity_file: identity, known_hosts: knownHosts },
          url: ollama.url,
        },
      },
      default_model: 'demo:demo-thinking:8b',
    },
    stop: async () => {
      await ssh.stop()
      await ollama.stop()
    },
  }
}
