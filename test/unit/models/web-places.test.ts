import { describe, expect, it } from 'vitest'
import { PluginError } from '../../../src/core/errors.ts'
import type { WebPlace } from '../../../src/models/web.ts'
import { WebFromPlaces } from '../../../src/models/web-places.ts'

interface Place extends WebPlace {
  asked: string[]
}

/** A place from which these hosts can be reached. */
function place(name: string, hosts: readonly string[], isTheirs = name !== 'here'): Place {
  const asked: string[] = []
  const request = async ({ url }: { url: URL }) => {
    asked.push(url.host)
    await new Promise((resolve) => setImmediate(resolve))
    if (hosts.includes(url.host) && !url.pathname.includes('slow')) {
      return { status: 200, headers: { from: name }, body: new Uint8Array() }
    }
    throw new PluginError('REGISTRY_UNREACHABLE', `${name} has no way`, { hint: 'Look at the network.' })
  }
  return { name, isTheirs, asked, web: { request, close: () => asked.push('closed') } }
}

function from(...places: WebPlace[]) {
  const web = new WebFromPlaces(places)
  const { signal } = new AbortController()
  const ask = (url: string) =>
    web.request({ method: 'HEAD', url: new URL(url), signal }).then(({ headers }) => headers.from)
  return { web, ask }
}

describe('WebFromPlaces', () => {
  it('keeps the first place from which a host gave any answer', async () => {
    const [here, gpu] = [place('here', []), place('gpu', ['ollama.com'])]
    const { ask } = from(here, gpu)
    expect(await ask('https://ollama.com/a')).toBe('gpu')
    expect(await ask('https://ollama.com/b')).toBe('gpu')
    expect(here.asked).toEqual(['ollama.com'])
  })

  it('learns that for each host', async () => {
    const [here, gpu] = [place('here', ['ollama.com']), place('gpu', ['ollama.com', 'registry.corp'])]
    const { ask } = from(here, gpu)
    expect(await ask('https://ollama.com/')).toBe('here')
    expect(await ask('https://registry.corp/')).toBe('gpu')
    expect(await ask('https://ollama.com/')).toBe('here')
  })

  it('finds the way of many at once', async () => {
    const [here, gpu] = [place('here', []), place('gpu', ['ollama.com'])]
    const { ask } = from(here, gpu)
    const answers = await Promise.all(Array.from({ length: 16 }, (_, index) => ask(`https://ollama.com/${index}`)))
    expect(new Set(answers)).toEqual(new Set(['gpu']))
  })

  it('tells the reasons of all places, and does not try again what failed', async () => {
    const [here, gpu] = [place('here', []), place('gpu', [])]
    const { ask } = from(here, gpu)
    const failure = {
      code: 'REGISTRY_UNREACHABLE',
      message: 'ollama.com cannot be reached from here (here has no way) nor from gpu (gpu has no way)',
      hint: 'Look at the network.',
    }
    await expect(ask('https://ollama.com/')).rejects.toMatchObject(failure)
    await expect(ask('https://ollama.com/')).rejects.toMatchObject(failure)
    expect([here.asked.length, gpu.asked.length]).toEqual([1, 1])
  })

  it('stays with a place though one of its requests comes to nothing', async () => {
    const [here, gpu] = [place('here', ['ollama.com']), place('gpu', ['ollama.com'])]
    const { ask } = from(here, gpu)
    await ask('https://ollama.com/')
    await expect(ask('https://ollama.com/slow')).rejects.toThrow(
      'ollama.com cannot be reached from here (here has no way)',
    )
    expect(await ask('https://ollama.com/')).toBe('here')
    expect(gpu.asked).toEqual([])
  })

  it.each(['http://localhost:5000/', 'http://127.0.0.1:5000/', 'http://[::1]:5000/'])(
    'looks for %s where the models are',
    async (url) => {
      const hosts = ['localhost:5000', '127.0.0.1:5000', '[::1]:5000']
      expect(await from(place('here', hosts), place('gpu', hosts)).ask(url)).toBe('gpu')
      await expect(from(place('here', hosts)).ask(url)).rejects.toThrow(/from where updates\.from allows$/)
    },
  )

  it('closes every place', () => {
    const [here, gpu] = [place('here', []), place('gpu', [])]
    from(here, gpu).web.close()
    expect([here.asked, gpu.asked]).toEqual([['closed'], ['closed']])
  })
})
