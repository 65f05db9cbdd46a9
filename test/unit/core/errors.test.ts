import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ERROR_CODES, isAbort, PluginError, toPluginError, toRecord } from '../../../src/core/errors.ts'

describe('PluginError', () => {
  it('is an Error with code, hint and cause', () => {
    const cause = new Error('why')
    const error = new PluginError('SSH_DISCONNECTED', 'The link broke', { hint: 'Try again.', cause })
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({
      name: 'PluginError',
      code: 'SSH_DISCONNECTED',
      message: 'The link broke',
      hint: 'Try again.',
      cause,
    })
  })

  it('has no cause where none was given', () => {
    expect(Object.hasOwn(new PluginError('SSH_DISCONNECTED', 'x'), 'cause')).toBe(false)
  })
})

describe('ERROR_CODES', () => {
  it('has each code once', () => {
    expect(new Set(ERROR_CODES).size).toBe(ERROR_CODES.length)
  })
})

describe('toPluginError', () => {
  it('hands our own errors on as they are', () => {
    const error = new PluginError('API_RATE_LIMITED', 'busy')
    expect(toPluginError(error)).toBe(error)
  })

  it('takes the default reason of an abort for a cancellation', () => {
    const { reason } = AbortSignal.abort()
    expect(toPluginError(reason)).toMatchObject({ code: 'CANCELLED', cause: reason })
    const undici = Object.assign(new Error('aborted'), { code: 'UND_ERR_ABORTED' })
    expect(toPluginError(undici)).toMatchObject({ code: 'CANCELLED', cause: undici })
  })

  it('takes the rest for a defect of ours, with the cause kept', () => {
    const error = new TypeError('x is undefined')
    expect(toPluginError(error)).toMatchObject({ code: 'INTERNAL', message: 'x is undefined', cause: error })
    expect(toPluginError(new DOMException('late', 'TimeoutError'))).toMatchObject({ code: 'INTERNAL' })
  })

  it('survives whatever can be thrown', () => {
    const unspeakable = {
      toString() {
        throw new Error('no words')
      },
    }
    const odd = [
      undefined,
      null,
      'words',
      7,
      7n,
      Symbol('x'),
      Object.create(null),
      unspeakable,
      [unspeakable],
      () => {},
    ]
    for (const thrown of odd) expect(toPluginError(thrown)).toMatchObject({ code: 'INTERNAL', cause: thrown })
    expect(toPluginError('words').message).toBe('words')
    fc.assert(
      fc.property(fc.anything({ withNullPrototype: true }), (thrown) => toPluginError(thrown).message.length >= 0),
    )
  })
})

describe('toRecord', () => {
  it('holds code, message and hint, and never the cause, which may hold a secret', () => {
    const error = new PluginError('SSH_AUTH_FAILED', 'No key fits', {
      hint: 'Add one.',
      cause: new Error('passphrase: hunter2'),
    })
    expect(toRecord(error)).toEqual({ code: 'SSH_AUTH_FAILED', message: 'No key fits', hint: 'Add one.' })
    expect(JSON.stringify(toRecord(error))).not.toContain('hunter2')
  })

  it('has no hint where none was given, since msgpack would make it a nil of its own kind', () => {
    expect(Object.keys(toRecord(new PluginError('INTERNAL', 'x')))).toEqual(['code', 'message'])
  })
})

describe('isAbort', () => {
  it.each([
    ['an AbortError', AbortSignal.abort().reason, true],
    ['a timeout', new DOMException('late', 'TimeoutError'), false],
    ['a reason of ours', new PluginError('CHAT_STOPPED', 'stopped'), false],
    ['what only looks like one', { name: 'AbortError' }, false],
    ['nothing', undefined, false],
  ])('judges %s', (_, thrown, expected) => {
    expect(isAbort(thrown)).toBe(expected)
  })
})
