import { describe, expect, it } from 'vitest'
import { type HostEvent, logEvent, publicData } from '../../../src/core/events.ts'
import { logTo } from '../../../src/core/log.ts'

const SENT: HostEvent = {
  name: 'RequestSent',
  server: 'gpu',
  request: 3,
  model: 'gpu:m',
  messages: 2,
  prompt: 'my words',
}

describe('an event', () => {
  it('is a line with its server and request', () => {
    expect(lineOf(SENT)).toMatch(
      / info {2}request server="gpu" request=3 model="gpu:m" messages=2 prompt="my words"\n$/,
    )
  })

  it('is a warning when an answer failed', () => {
    const about = { server: 'gpu', request: 3, model: 'gpu:m', seconds: 1.5 }
    expect(lineOf({ name: 'AnswerFailed', ...about, code: 'API_ERROR', message: 'no' })).toMatch(
      / warn {2}failed server="gpu" .*seconds=1.5 code="API_ERROR" message="no"\n$/,
    )
  })

  it('is not written twice when the connection has written it', () => {
    expect(lineOf({ name: 'ConnectionChanged', server: 'gpu', state: 'ready' })).toBe('')
  })

  it('leaves the host without a word of prompts and answers', () => {
    expect(publicData(SENT)).toEqual({ server: 'gpu', request: 3, model: 'gpu:m', messages: 2 })
    const done = { name: 'AnswerComplete', server: 'gpu', request: 3, model: 'gpu:m', seconds: 2 } as const
    expect(publicData({ ...done, reason: 'stop', answer: 'its words' })).not.toHaveProperty('answer')
  })
})

function lineOf(event: HostEvent): string {
  let line = ''
  logEvent(
    logTo((written) => (line += written), 'info'),
    event,
  )
  return line
}
