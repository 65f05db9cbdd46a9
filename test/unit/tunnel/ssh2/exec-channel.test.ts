import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../../src/core/errors.ts'
import { ExecChannel, type RawExecChannel } from '../../../../src/tunnel/ssh2/exec-channel.ts'

class FakeRaw extends EventEmitter {
  readonly stderr = new EventEmitter()
  readonly outgoing = { state: 'open' }
  ended = 0
  end() {
    this.ended++
  }
  pause() {}
  resume() {}
  close() {}
  write() {
    return true
  }
}

function rig() {
  const raw = new FakeRaw()
  const channel = new ExecChannel(raw as unknown as RawExecChannel)
  const heard: string[] = []
  channel.on('data', (chunk) => heard.push(String(chunk)))
  channel.on('end', () => heard.push('end'))
  channel.on('close', () => heard.push('close'))
  const failure = () => channel.failure((words) => new PluginError('API_UNAVAILABLE', words))?.message
  return { raw, heard, failure }
}

describe('a command as a channel', () => {
  it('ends only when it is over, and hears no more once it has nothing to say', () => {
    const { raw, heard, failure } = rig()
    raw.emit('data', Buffer.from('answer'))
    raw.emit('end')
    expect([heard, raw.ended]).toEqual([['answer'], 1])
    raw.emit('exit', 1)
    raw.emit('close')
    expect([heard, failure()]).toEqual([['answer', 'end', 'close'], undefined])
  })

  it.each([
    ['its own words', 'refused\n\u001b[0m', 1, 'refused [0m'],
    ['its code', '', 127, 'it ended with 127'],
    ['a signal', '', null, 'it ended with a signal'],
  ])('that fails without a byte tells %s', (_, words, code, expected) => {
    const { raw, failure } = rig()
    raw.stderr.emit('data', Buffer.from(words))
    raw.emit('exit', code)
    raw.emit('close')
    expect(failure()).toBe(expected)
  })

  it('that ends well without a byte has not failed', () => {
    const { raw, failure } = rig()
    raw.emit('exit', 0)
    raw.emit('close')
    expect(failure()).toBeUndefined()
  })
})
