import { describe, expect, it } from 'vitest'
import { hostAliases } from '../../../../src/tunnel/ssh-config/aliases.ts'
import { readWithIncludes } from '../../../../src/tunnel/ssh-config/includes.ts'
import { memoryFiles } from '../fakes.ts'

const CONFIG = '/home/me/.ssh/config'
const aliases = (contents: Record<string, string | Error>) => hostAliases(memoryFiles(contents), CONFIG, '/home/me')

describe('the aliases of an ssh_config', () => {
  it('are those of its Host lines, without patterns and negations, each once', async () => {
    const text =
      'Host gpu lab *.example.com !no\n  HostName x\nhost = "with space" gpu # host comment\n#Host no\nMatch host m\n'
    expect(await aliases({ [CONFIG]: text })).toEqual(['gpu', 'lab', 'with space'])
  })

  it('are found through Includes: relative, in the home, absolute, by pattern, in order and deeper', async () => {
    const found = await aliases({
      [CONFIG]: 'Include more ~/own/*.conf /etc/missing\nHost last\nInclude config.d/*\n',
      '/home/me/.ssh/more': 'Host first\n',
      '/home/me/own/b.conf': 'Host b\n',
      '/home/me/own/a.conf': 'Host a\nInclude deep\n',
      '/home/me/own/not.txt': 'Host not\n',
      '/home/me/own/.conf': 'Host hidden\n',
      '/home/me/.ssh/deep': 'Host deep\r\n',
      '/home/me/.ssh/config.d/x': new Error('no right to read'),
      '/home/me/.ssh/config.d/y': 'Host y\n',
    })
    expect(found).toEqual(['first', 'a', 'deep', 'b', 'last', 'y'])
  })

  it('are none without a file, and end where a file includes itself', async () => {
    expect(await aliases({})).toEqual([])
    expect(await aliases({ [CONFIG]: 'Host a\nInclude config\n' })).toEqual(['a'])
  })
})

describe('an ssh_config with its Includes', () => {
  it('gives what follows an Include back to its block', async () => {
    const files = memoryFiles({ [CONFIG]: 'Host a\n  Include x\n  User u\n', '/home/me/.ssh/x': 'Host b\n  Port 1' })
    expect(await readWithIncludes(files, CONFIG, '/home/me')).toBe('Host a\nHost b\n  Port 1\nHost a\n  User u\n')
  })
})
