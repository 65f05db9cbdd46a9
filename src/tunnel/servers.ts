// The configured servers by name. What one of them is, is server.ts's.
import type { ServerConfig } from '../config/schema.ts'
import { PluginError } from '../core/errors.ts'
import { LinkWatch } from './link-watch.ts'
import { openServer, type Server, type ServerDependencies } from './server.ts'

export class Servers {
  readonly #dependencies: ServerDependencies
  readonly #watch: LinkWatch
  readonly #servers = new Map<string, { config: ServerConfig; server: Server }>()
  /** The server that each chat, or whoever else has a name here, needs soon. */
  readonly #needs = new Map<number | string, string>()

  constructor(dependencies: ServerDependencies) {
    this.#watch = dependencies.watch ?? new LinkWatch({ clock: dependencies.clock })
    this.#dependencies = { ...dependencies, watch: this.#watch }
  }

  /** In the order of the configuration: the default server first. */
  get names(): string[] {
    return [...this.#servers.keys()]
  }

  /** Opens what is new, closes what is gone or was changed, and leaves every other server as it is. */
  configure(configs: readonly ServerConfig[]): void {
    const before = new Map(this.#servers)
    this.#servers.clear()
    for (const config of configs) {
      const known = before.get(config.name)
      const isSame = known !== undefined && JSON.stringify(known.config) === JSON.stringify(config)
      this.#servers.set(config.name, isSame ? known : { config, server: openServer(config, this.#dependencies) })
      if (isSame) before.delete(config.name)
    }
    for (const { server } of before.values()) server.close()
  }

  /** @throws PluginError SERVER_NOT_FOUND */
  get(name: string): Server {
    const found = this.#servers.get(name)
    if (found) return found.server
    throw new PluginError('SERVER_NOT_FOUND', `No server is called "${name}"`, {
      hint: `Configured are: ${this.names.join(', ')}.`,
    })
  }

  /** Somebody, as a chat, will ask this server soon, or none any more: its link is brought up ahead, and kept up meanwhile. */
  need(who: number | string, name: string | undefined): void {
    const before = this.#needs.get(who)
    if (name === undefined) this.#needs.delete(who)
    else this.#needs.set(who, name)
    if (name !== undefined) this.#servers.get(name)?.server.prepare()
    if (before === undefined || [...this.#needs.values()].includes(before)) return
    this.#servers.get(before)?.server.release()
  }

  /** The editor has got the focus: a person is back, and so may be the network. */
  focus(): void {
    this.#watch.focus()
  }

  /** Ends every connection. */
  close(): void {
    for (const { server } of this.#servers.values()) server.close()
    this.#servers.clear()
  }
}
