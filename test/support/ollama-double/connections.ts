/** The sockets of the double: their numbers, and their sudden death. */

import type { Socket } from 'node:net'

export class Connections {
  readonly #open = new Map<Socket, number>()
  #total = 0
  readonly #changed: () => void

  constructor(changed: () => void) {
    this.#changed = changed
  }

  get open(): number {
    return this.#open.size
  }

  get total(): number {
    return this.#total
  }

  add(socket: Socket): void {
    this.#total += 1
    this.#open.set(socket, this.#total)
    socket.setNoDelay(true)
    // Without a listener, the reset of a connection by its client would end the process.
    socket.on('error', () => {})
    socket.once('close', () => {
      this.#open.delete(socket)
      this.#changed()
    })
    this.#changed()
  }

  /** 1 for the first connection since the start. */
  idOf(socket: Socket): number {
    return this.#open.get(socket) ?? 0
  }

  /** Closes all of them with RST, as a crashed machine or a firewall does. */
  resetAll(): void {
    for (const socket of this.#open.keys()) socket.resetAndDestroy()
  }

  destroyAll(): void {
    for (const socket of this.#open.keys()) socket.destroy()
  }
}
