import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineModel } from '../../test/support/ollama-double/models.ts'
import { type OllamaDouble, startOllamaDouble } from '../../test/support/ollama-double/ollama-double.ts'
import { diskFull } from '../../test/support/ollama-double/pull-script.ts'
import { startSshServerDouble } from '../../test/support/ssh-server-double.ts'
import type { World } from './world.ts'

/** An SSH server and an Ollama on loopback, whose answers are a demonstration. */
export async function startDemonstration(folder: string): Promise<World> {
  const ollama = await startOllamaDouble()
  publishModels(ollama)
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

/** What can be pulled: a newer version of one that is installed, one that is not, and one for which there is no room. */
function publishModels(ollama: OllamaDouble): void {
  const vision = ollama.models.find(({ name }) => name === 'demo-vision:latest')
  if (vision) ollama.publish(defineModel({ ...vision, digest: 'd'.repeat(64) }))
  ollama.publish(defineModel({ name: 'demo-new:1b' }))
  const huge = defineModel({ name: 'demo-huge:70b', sizeBytes: 42_520_413_916 })
  ollama.publish(huge)
  ollama.scriptPull(huge.name, {
    bytesPerSecond: 2_000_000_000,
    error: diskFull(`sha256:${huge.digest}`),
    errorAt: 0.3,
  })
}
