import { EventEmitter, once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { type Channel, ChannelSocket } from '../../../../src/tunnel/ssh2/channel-socket.ts'
import { turn } from '../fakes.ts'

/** A channel as ssh2 has them: write callbacks come when the window allows, or never. */
class FakeChannel extends EventEmitter implements Channel {
  outgoing = { state: 'open' }
  calls: string[] = []
  written: { text: string; done: () => void }[] = []
  pause() {
    this.calls.push('pause')
  }
  resume() {
    this.calls.push('resume')
  }
  write(chunk: Buffer, done: () => void) {
    this.written.push({ text: chunk.toString(), done })
    return true
  }
  end() {
    this.calls.push('end')
  }
  close() {
    this.calls.push('close')
    this.outgoing.state = 'closing'
  }
}

function rig() {
  const channel = new FakeChannel()
  let lost: Error | undefined
  const socket = new ChannelSocket(channel, () => lost)
  const events: string[] = []
  for (const name of ['end', 'close'] as const) socket.on(name, () => events.push(name))
  socket.on('error', (error) => events.push(`error ${error.message}`))
  const lose = () => {
    lost = new Error('link lost')
  }
  return { channel, socket, events, lose }
}

describe('a channel as a socket', () => {
  it('reads only when somebody wants to, and stops when it is full', async () => {
    const { channel, socket } = rig()
    expect(channel.calls).toEqual(['pause'])
    socket.read(0)
    expect(channel.calls.at(-1)).toBe('resume')
    channel.emit('data', Buffer.alloc(70_000))
    expect(channel.calls.at(-1)).toBe('pause')
    socket.resume()
    await turn()
    expect(channel.calls.at(-1)).toBe('resume')
  })

  it('ends when the far end does, and closes its own half', async () => {
    const { channel, socket, events } = rig()
    socket.resume()
    channel.emit('end')
    await once(socket, 'close')
    expect(channel.calls).toContain('end')
    channel.emit('close')
    await turn()
    expect(events).toEqual(['end', 'close'])
  })

  it('ends what is buffered before the channel closes', async () => {
    const { channel, socket, events } = rig()
    channel.emit('data', Buffer.from('last words'))
    channel.emit('end')
    channel.emit('close')
    const chunks: Buffer[] = []
    for await (const chunk of socket) chunks.push(chunk)
    expect(Buffer.concat(chunks).toString()).toBe('last words')
    await turn()
    expect(events).toEqual(['end', 'close'])
  })

  it('fails, instead of ending, when the link is lost', async () => {
    const { channel, socket, events, lose } = rig()
    socket.resume()
    lose()
    channel.emit('end')
    channel.emit('close')
    await turn()
    expect(events).toEqual(['error link lost', 'close'])
  })

  it('fails when the channel is closed without an end', async () => {
    const { channel, events } = rig()
    channel.emit('close')
    await turn()
    expect(events).toEqual(['error The channel was closed', 'close'])
  })

  it('passes an error of the channel on', async () => {
    const { channel, events } = rig()
    channel.emit('error', new Error('odd'))
    channel.emit('error', new Error('again'))
    await turn()
    expect(events).toEqual(['error odd', 'close'])
  })

  it('closes the channel at once when it is destroyed, and reads the rest away', async () => {
    const { channel, socket, events } = rig()
    socket.destroy()
    expect(channel.calls.slice(-2)).toEqual(['close', 'resume'])
    channel.emit('data', Buffer.from('late'))
    channel.emit('end')
    channel.emit('close')
    await turn()
    expect(events).toEqual(['close'])
  })

  it('tells the error that it is destroyed with', async () => {
    const { socket, events } = rig()
    socket.destroy(new Error('timeout'))
    await turn()
    expect(events).toEqual(['error timeout', 'close'])
  })

  it('has one write under way, and waits for its callback', async () => {
    const { channel, socket } = rig()
    const done: number[] = []
    socket.write('a', () => done.push(1))
    socket.write('b', () => done.push(2))
    expect(channel.written.map(({ text }) => text)).toEqual(['a'])
    channel.written[0]?.done()
    await turn()
    expect(channel.written.map(({ text }) => text)).toEqual(['a', 'b'])
    expect(done).toEqual([1])
  })

  it('fails a write whose callback ssh2 forgot', async () => {
    const { channel, socket, events } = rig()
    const failures: string[] = []
    socket.write('a', (error) => failures.push(error?.message ?? ''))
    channel.emit('close')
    await turn()
    expect(failures).toEqual(['The channel was closed'])
    expect(events).toEqual(['error The channel was closed', 'close'])
    channel.written[0]?.done()
  })

  it('refuses a write when the channel is no longer open', async () => {
    const { channel, socket, events } = rig()
    channel.outgoing.state = 'closing'
    socket.write('a')
    await turn()
    expect(channel.written).toEqual([])
    expect(events).toEqual(['error The channel was closed', 'close'])
  })

  it('has what undici and TLS look for on a socket', () => {
    const { socket } = rig()
    expect([socket.setNoDelay(), socket.setKeepAlive(), socket.setTimeout(), socket.ref(), socket.unref()]).toEqual(
      Array(5).fill(socket),
    )
  })
})
