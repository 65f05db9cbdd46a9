import { describe, expect, it } from 'vitest'
import { askedFirst, openedFirst } from '../../../src/tunnel/attended.ts'
import { scripted } from './fakes.ts'

const never = new AbortController().signal
const refuse = () => {
  throw new Error('nobody is there')
}

describe('an attempt that nobody sits before', () => {
  it('puts no question', async () => {
    const { asked, prompts } = scripted('yes', 'secret')
    const quiet = askedFirst(prompts, refuse)
    await expect(quiet.choose({ title: 'a', detail: '', choices: [] }, never)).rejects.toThrow('nobody')
    await expect(quiet.secret({ title: 'a', detail: '' }, never)).rejects.toThrow('nobody')
    expect(asked).toEqual([])
    const loud = askedFirst(prompts, () => {})
    expect(await loud.choose({ title: 'a', detail: '', choices: [] }, never)).toBe('yes')
    expect(await loud.secret({ title: 'a', detail: '' }, never)).toBe('secret')
  })

  it('uses the secrets in memory, but opens none at rest', async () => {
    const memory = new Map([['near', 'one']])
    const opened: string[] = []
    const secrets = {
      peek: (name: string) => memory.get(name),
      get: (name: string) => {
        opened.push(name)
        return 'two'
      },
      set: (name: string, secret: string) => memory.set(name, secret),
      delete: (name: string) => memory.delete(name),
    }
    const quiet = openedFirst(secrets, refuse)
    expect(await quiet.get('near')).toBe('one')
    await expect(quiet.get('far')).rejects.toThrow('nobody')
    expect(opened).toEqual([])
    expect(await openedFirst(secrets, () => {}).get('far')).toBe('two')
    quiet.set('new', 'three')
    quiet.delete('near')
    expect([...memory]).toEqual([['new', 'three']])
    expect(await openedFirst(memory, refuse).get('new')).toBe('three')
  })
})
