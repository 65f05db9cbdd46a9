// One prompt on a bare socket, as the two ways of a round trip.
import type { Socket } from 'node:net'
import type { Backend } from './backend-client.ts'
import { askBare } from './bare-client.ts'

/** In milliseconds. */
export interface Halves {
  /** From sending to the moment when the request was wholly at the server. */
  out: number
  /** From the server's first byte to its arrival. */
  back: number
}

const TOKENS = 5

/** @param label a name that no other prompt has. */
export async function bareHalves(backend: Backend, socket: Socket, label: string): Promise<Halves> {
  await backend.answerWith({ label, tokens: TOKENS }, 'unbounded')
  const { sentAt, firstByteAt } = await askBare({ readable: socket, writable: socket }, 'hello')
  const served = await backend.served(label)
  if (!served) throw new Error('the server has not seen the request')
  return { out: served.parsedAt - sentAt, back: firstByteAt - served.firstByteAt }
}
