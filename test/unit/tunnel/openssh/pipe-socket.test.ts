import { Duplex, PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { PipeSocket } from '../../../../src/tunnel/openssh/pipe-socket.ts'

const LOST = new Error('lost')

function rig(judge: () => Promise<Error | undefined> = async () => undefined) {
  const input = new PassThrough()
  const output = new PassThrough()
  let ends = 0
  const end = () => {
    ends++
    input.destroy()
    output.destroy()
  }
  const socket = new PipeSocket({ input, output, end }, judge)
  return { input, output, socket, ends: () => ends }
}

async function read(stream: Duplex): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

const closed = (stream: Duplex) => new Promise<void>((resolve) => stream.once('close', resolve))
const failed = (stream: Duplex) => new Promise<Error>((resolve) => stream.once('error', resolve))

describe('a stream that a process carries', () => {
  it('passes bytes and a meant end on, and then lets go', async () => {
    const { output, input, socket, ends } = rig()
    socket.write('to')
    expect(String(await new Promise((resolve) => input.once('data', resolve)))).toBe('to')
    output.end('fro')
    expect(await read(socket)).toBe('fro')
    await (socket.destroyed || closed(socket))
    expect(ends()).toBe(1)
  })

  it('makes an error of an end that nobody vouches for', async () => {
    const { output, socket } = rig(async () => LOST)
    const failure = failed(socket)
    output.end('half')
    expect(String(await new Promise((resolve) => socket.once('data', resolve)))).toBe('half')
    expect(await failure).toBe(LOST)
  })

  it('tells why rather than that a pipe broke', async () => {
    const { output, socket } = rig(async () => LOST)
    const failure = failed(socket)
    output.destroy(Object.assign(new Error('broken'), { code: 'EPIPE' }))
    expect(await failure).toBe(LOST)
  })

  it('is broken when its pipe is, without anybody to tell why', async () => {
    const { output, socket } = rig()
    const failure = failed(socket)
    output.destroy()
    expect(await failure).toMatchObject({ code: 'ECONNRESET' })
  })

  it('fails a write that cannot be made with the reason', async () => {
    const { input, socket } = rig(async () => LOST)
    const failure = failed(socket)
    input.destroy()
    socket.write('x')
    expect(await failure).toBe(LOST)
  })

  it('lets go at once when it is destroyed, while an end is still being judged', async () => {
    let settle: (error: Error | undefined) => void = () => {}
    const { output, socket, ends } = rig(
      () =>
        new Promise((resolve) => {
          settle = resolve
        }),
    )
    output.end()
    socket.resume()
    await new Promise((resolve) => output.once('end', resolve))
    socket.destroy()
    await closed(socket)
    settle(LOST)
    expect(ends()).toBe(1)
    expect(socket.errored).toBeNull()
  })

  it('does not read more than is wanted', async () => {
    const { output, socket } = rig()
    for (let n = 0; n < 64; n++) output.write(Buffer.alloc(16_384))
    await new Promise((resolve) => setImmediate(resolve))
    expect(socket.readableLength).toBeLessThanOrEqual(65_536 + 16_384)
    socket.destroy()
  })

  it('is a socket as far as undici and TLS ask', () => {
    const { socket } = rig()
    expect(socket).toBeInstanceOf(Duplex)
    expect(socket.setNoDelay().setKeepAlive().setTimeout().ref().unref()).toBe(socket)
    socket.destroy()
  })
})
