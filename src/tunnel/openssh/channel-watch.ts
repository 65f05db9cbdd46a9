// Which channel belongs to whom. A forwarded socket takes every connection, and only ssh's words tell whether the server
// opened the channel behind it: they name the target first, then the channel's number, then what became of it.
import { type ChatterEvent, forwardName } from './chatter.ts'

/** What became of a channel: `undefined` when it is open, or why the server refused it. */
export type Outcome = string | undefined

export interface Expected {
  readonly outcome: Promise<Outcome>
  /** The connection was never made, so ssh will not speak of it. */
  forget(): void
}

interface Waiter {
  settle: (outcome: Outcome) => void
}

export class ChannelWatch {
  /** Connections that ssh has not taken yet, by target, in their order. */
  readonly #waiting = new Map<string, Waiter[]>()
  readonly #channels = new Map<number, Waiter>()
  #to: string | undefined

  /** To be called at the moment in which a connection to the target's socket begins. */
  expect(target: { host: string; port: number }): Expected {
    const to = forwardName(target.host, target.port)
    const waiters = this.#waiting.get(to) ?? []
    this.#waiting.set(to, waiters)
    let settle: (outcome: Outcome) => void = () => {}
    const outcome = new Promise<Outcome>((resolve) => {
      settle = resolve
    })
    const waiter = { settle }
    waiters.push(waiter)
    const forget = () => {
      const index = waiters.indexOf(waiter)
      if (index >= 0) waiters.splice(index, 1)
    }
    return { outcome, forget }
  }

  take(event: ChatterEvent): void {
    switch (event.type) {
      case 'forward used':
        this.#to = event.to
        break
      case 'channel requested': {
        const waiter = this.#to === undefined ? undefined : this.#waiting.get(this.#to)?.shift()
        this.#to = undefined
        if (waiter) this.#channels.set(event.channel, waiter)
        break
      }
      case 'channel opened':
        this.#settle(event.channel, undefined)
        break
      case 'channel refused':
        this.#settle(event.channel, event.reason)
        break
    }
  }

  #settle(channel: number, outcome: Outcome): void {
    this.#channels.get(channel)?.settle(outcome)
    this.#channels.delete(channel)
  }
}
