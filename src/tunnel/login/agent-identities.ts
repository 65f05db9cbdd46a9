// All that an ssh agent holds, certificates and keys of security tokens too, which ssh2 passes over without a word.
// Signing is not here: see PROTOCOL.agent of OpenSSH for the two messages that are.
import { connect } from 'node:net'

export interface AgentIdentity {
  /** As it goes over the wire. */
  publicKey: Buffer
  comment: string
}

const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11])
const IDENTITIES_ANSWER = 12

/** As OpenSSH has it: an answer that is longer is none. */
const MAX_ANSWER_BYTES = 256 * 1024

/**
 * Asks the agent at a socket what it holds.
 * @throws the error of node:net, or one that says that the agent's answer is none; the signal's reason.
 */
export function listAgentIdentities(socketPath: string, signal: AbortSignal): Promise<AgentIdentity[]> {
  return new Promise<AgentIdentity[]>((resolve, reject) => {
    const socket = connect({ path: socketPath })
    const giveUp = () => socket.destroy(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    const finish = (answer: Buffer) => {
      try {
        resolve(readIdentities(answer))
        socket.destroy()
      } catch (error) {
        socket.destroy(error as Error)
      }
    }
    let received = Buffer.alloc(0)
    socket.on('connect', () => socket.write(REQUEST_IDENTITIES))
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk])
      const length = received.length < 4 ? 0 : received.readUInt32BE(0)
      if (length > MAX_ANSWER_BYTES) socket.destroy(new Error('the answer of the ssh agent is too long'))
      else if (length > 0 && received.length >= 4 + length) finish(received.subarray(4, 4 + length))
    })
    socket.on('error', reject)
    socket.on('close', () => {
      signal.removeEventListener('abort', giveUp)
      reject(new Error('the ssh agent hung up'))
    })
  })
}

/** Reads the agent's answer without its length. @throws Error when it is not one, or cut short. */
export function readIdentities(answer: Buffer): AgentIdentity[] {
  if (answer[0] !== IDENTITIES_ANSWER) throw new Error(`the ssh agent answered with message ${answer[0]}`)
  let at = 5
  const next = () => {
    const start = at + 4
    at = start + answer.readUInt32BE(at)
    if (at > answer.length) throw new Error('the answer of the ssh agent is cut short')
    return answer.subarray(start, at)
  }
  const count = answer.readUInt32BE(1)
  const identities: AgentIdentity[] = []
  for (let i = 0; i < count; i++) {
    const publicKey = Buffer.from(next())
    identities.push({ publicKey, comment: next().toString('utf8') })
  }
  return identities
}
