// The conversation with a master, against one that says what the test wants, cut at hostile places.
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { connectMux } from '../../../../src/tunnel/openssh/mux.ts'

const word = (value: number) => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const message = (...parts: (number | string)[]) => {
  const body = Buffer.concat(
    parts.map((part) =>
      typeof part === 'number' ? word(part) : Buffer.concat([word(Buffer.byteLength(part)), Buffer.from(part)]),
    ),
  )
  return Buffer.concat([word(body.length), body])
}
const HELLO = message(1, 4)

describe('a conversation with a master', () => {
  let folder: string
  let path: string
  let server: Server | undefined
  const sockets: Socket[] = []

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mux-'))
    path = join(folder, 'c')
  })
  afterEach(() => {
    server?.close()
    for (const socket of sockets.splice(0)) socket.destroy()
    rmSync(folder, { recursive: true })
  })

  /** Answers each message after the greeting by `answer`, given its type and request id. */
  async function master(answer: (type: number, id: number, body: Buffer) => Buffer | 'hang up', greeting = HELLO) {
    server = createServer((socket) => {
      sockets.push(socket)
      socket.on('error', () => {})
      socket.write(greeting)
      let received = Buffer.alloc(0)
      let isGreeted = false
      socket.on('data', (chunk) => {
        received = Buffer.concat([received, chunk])
        while (received.length >= 4 && received.length >= 4 + received.readUInt32BE(0)) {
          const body = received.subarray(4, 4 + received.readUInt32BE(0))
          received = received.subarray(4 + body.length)
          if (!isGreeted) {
            isGreeted = true
            continue
          }
          const said = answer(body.readUInt32BE(0), body.readUInt32BE(4), body)
          if (said === 'hang up') socket.destroy()
          else for (const byte of said) socket.write(Buffer.from([byte]))
        }
      })
    })
    await new Promise<void>((resolve) => server?.listen(path, resolve))
  }

  it('finds it alive', async () => {
    await master((_, id) => message(0x80000005, id, 4711))
    const mux = await connectMux(path)
    await Promise.all([mux.alive(), mux.alive()])
    mux.end()
    await mux.closed
  })

  it('asks for forwards, to a port and to a unix socket, and takes them back', async () => {
    const asked: Buffer[] = []
    await master((_, id, body) => {
      asked.push(body)
      return message(0x80000001, id)
    })
    const mux = await connectMux(path)
    await mux.forward('/r/s0', { host: '127.0.0.1', port: 80 })
    await mux.forget('/r/s1', { host: '/run/o', port: 0 })
    expect(asked).toEqual([
      message(0x10000006, 1, 1, '/r/s0', 0xfffffffe, '127.0.0.1', 80).subarray(4),
      message(0x10000007, 2, 1, '/r/s1', 0xfffffffe, '/run/o', 0xfffffffe).subarray(4),
    ])
    mux.end()
  })

  it('passes the reason of a refusal on', async () => {
    await master((_, id) => message(0x80000003, id, 'Port forwarding failed'))
    const mux = await connectMux(path)
    await expect(mux.forward('/r/s0', { host: 'a', port: 1 })).rejects.toThrow('Port forwarding failed')
    mux.end()
  })

  it('rejects all that wait when it is gone, and later ones', async () => {
    await master(() => 'hang up')
    const mux = await connectMux(path)
    await expect(Promise.all([mux.alive(), mux.alive()])).rejects.toThrow()
    await mux.closed
    await expect(mux.alive()).rejects.toThrow()
  })

  it('waits no longer than the signal lets', async () => {
    await master(() => Buffer.alloc(0))
    const mux = await connectMux(path)
    const giveUp = new AbortController()
    const waiting = mux.alive(giveUp.signal)
    giveUp.abort(new Error('enough'))
    await expect(waiting).rejects.toThrow('enough')
    mux.end()
  })

  it.each([
    ['another version', message(1, 5), /version 5/],
    ['nonsense', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /no ssh master/],
  ])('refuses %s', async (_, greeting, words) => {
    await master(() => 'hang up', greeting)
    await expect(connectMux(path)).rejects.toThrow(words)
  })

  it('fails where nobody listens', async () => {
    await expect(connectMux(path)).rejects.toThrow(/ENOENT/)
  })
})
