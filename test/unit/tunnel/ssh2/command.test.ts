import { EventEmitter } from 'node:events'
import { expect, it } from 'vitest'
import { runCommand } from '../../../../src/tunnel/ssh2/command.ts'
import type { ExecClient, RawExecChannel } from '../../../../src/tunnel/ssh2/exec-channel.ts'
import { PARAMETERS, turn } from '../fakes.ts'

class FakeRaw extends EventEmitter {
  readonly stderr = new EventEmitter()
  closed = 0
  end() {}
  close() {
    this.closed++
  }
}

/** Opens the channel when the test says so. */
function rig(signal = new AbortController().signal) {
  const raw = new FakeRaw()
  let answer: (error?: Error) => void = () => {}
  const client: ExecClient = {
    exec: (_, callback) => {
      answer = (error) => callback(error, raw as unknown as RawExecChannel)
    },
  }
  const result = runCommand(client, 'true', PARAMETERS, signal).catch((error: unknown) => error)
  return { raw, result, answer: (error?: Error) => answer(error) }
}

it('gives all that was printed and how it ended', async () => {
  const { raw, result, answer } = rig()
  answer()
  raw.emit('data', Buffer.from('a'))
  raw.emit('data', Buffer.from('b'))
  raw.emit('exit', 3)
  raw.emit('close')
  expect(await result).toEqual({ code: 3, output: Buffer.from('ab') })
})

it('says so when the server runs nothing, or what is printed has no end', async () => {
  const refused = rig()
  refused.answer(new Error('open failed'))
  expect(await refused.result).toMatchObject({
    code: 'SSH_CHANNEL_ERROR',
    message: 'gpu did not run a command: open failed',
  })
  const endless = rig()
  endless.answer()
  endless.raw.emit('data', Buffer.alloc(9 * 1024 * 1024))
  expect(endless.raw.closed).toBe(1)
  endless.raw.emit('close')
  expect(await endless.result).toMatchObject({ message: 'gpu did not run a command: it printed too much' })
})

it('is left at once though no channel has come, and one that comes later is closed', async () => {
  const leave = new AbortController()
  const { raw, result, answer } = rig(leave.signal)
  const reason = new Error('Nobody waits')
  leave.abort(reason)
  expect(await result).toBe(reason)
  answer()
  await turn()
  expect(raw.closed).toBe(1)
})
