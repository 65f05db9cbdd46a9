import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeRuntimeFolder } from '../../../../src/tunnel/openssh/runtime-folder.ts'

describe('the private folder', () => {
  let runtime: string
  beforeEach(() => {
    runtime = mkdtempSync(join(tmpdir(), 'run-'))
  })
  afterEach(() => rmSync(runtime, { recursive: true }))

  it('can be entered by us only, and so can what is in it', async () => {
    const folder = await makeRuntimeFolder({ XDG_RUNTIME_DIR: runtime })
    expect(dirname(folder.path)).toBe(runtime)
    expect(statSync(folder.path).mode & 0o777).toBe(0o700)
    const text = await folder.write('text', 'a', 'text')
    const program = await folder.write('program', '#!/bin/sh\n', 'program')
    expect([text, program].map((path) => statSync(path).mode & 0o777)).toEqual([0o600, 0o700])
    expect(readFileSync(text, 'utf8')).toBe('a')
    await folder.remove()
    await folder.remove()
    expect(existsSync(folder.path)).toBe(false)
  })

  it.each([undefined, 'relative', '/no/such/folder', `/tmp/${'x'.repeat(90)}`])(
    'is elsewhere when $XDG_RUNTIME_DIR is %s',
    async (XDG_RUNTIME_DIR) => {
      const folder = await makeRuntimeFolder(XDG_RUNTIME_DIR === undefined ? {} : { XDG_RUNTIME_DIR })
      expect(Buffer.byteLength(join(folder.path, 'c.XXXXXXXXXXXXXXXX'))).toBeLessThan(104)
      expect(statSync(folder.path).mode & 0o777).toBe(0o700)
      await folder.remove()
    },
  )

  it('takes away what processes left that are gone, and nothing else', async () => {
    const gone = spawnSync('true').pid
    const names = {
      gone: `ollama-remote-${gone}-abcdef`,
      living: `ollama-remote-${process.ppid}-abcdef`,
      other: `ollama-remote-notes`,
    }
    for (const name of Object.values(names)) mkdirSync(join(runtime, name))
    writeFileSync(join(runtime, names.gone, 's0'), '')
    const folder = await makeRuntimeFolder({ XDG_RUNTIME_DIR: runtime })
    expect(existsSync(join(runtime, names.gone))).toBe(false)
    expect([names.living, names.other].map((name) => existsSync(join(runtime, name)))).toEqual([true, true])
    await folder.remove()
  })
})
