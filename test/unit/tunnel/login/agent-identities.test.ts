import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type AgentIdentity,
  listAgentIdentities,
  readIdentities,
} from '../../../../src/tunnel/login/agent-identities.ts'

const string = (bytes: Buffer) => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

function answerOf(identities: readonly AgentIdentity[]): Buffer {
  const parts = identities.flatMap(({ publicKey, comment }) => [string(publicKey), string(Buffer.from(comment))])
  return Buffer.concat([Buffer.from([12, 0, 0, 0, identities.length]), ...parts])
}

const identity = fc.record({
  publicKey: fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  comment: fc.string({ unit: 'grapheme' }),
})

/** An agent that answers in pieces of `size` bytes, or hangs up. */
async function agent(answer: Buffer | undefined, size = 3): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'agent-'))
  const path = join(folder, 'socket')
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.once('data', () => {
      if (answer === undefined) return socket.end()
      for (let at = 0; at < answer.length; at += size) socket.write(answer.subarray(at, at + size))
      return undefined
    })
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve))
    rmSync(folder, { recursive: true })
  })
  return path
}

const never = new AbortController().signal

describe("an agent's identities", () => {
  it('are read as they were written, and never beyond the end', () => {
    fc.assert(
      fc.property(fc.array(identity, { maxLength: 5 }), fc.nat(), (identities, cut) => {
        const answer = answerOf(identities)
        expect(readIdentities(answer)).toEqual(identities)
        const short = answer.subarray(0, cut % answer.length)
        if (identities.length > 0) expect(() => readIdentities(short)).toThrow()
      }),
    )
  })

  it('come over a socket in pieces', async () => {
    const identities = [{ publicKey: Buffer.from('key'), comment: 'me@here' }]
    expect(await listAgentIdentities(await agent(string(answerOf(identities))), never)).toEqual(identities)
  })

  it.each<[string, Buffer | undefined, RegExp]>([
    ['hangs up', undefined, /hung up/],
    ['refuses', string(Buffer.from([5])), /message 5/],
    ['would send without end', Buffer.from([0xff, 0, 0, 0]), /too long/],
  ])('of one that %s are an error', async (_, answer, words) => {
    await expect(listAgentIdentities(await agent(answer), never)).rejects.toThrow(words)
  })

  it('of one that never answers are given up with the signal', async () => {
    const controller = new AbortController()
    const listing = listAgentIdentities(await agent(Buffer.alloc(0)), controller.signal)
    const reason = new Error('enough')
    controller.abort(reason)
    await expect(listing).rejects.toBe(reason)
  })

  it('of one that is not there are an error', async () => {
    await expect(listAgentIdentities('/nonexistent/agent', never)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})
