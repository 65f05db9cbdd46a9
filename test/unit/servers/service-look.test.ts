import { execFile } from 'node:child_process'
import { chmod, mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'
import { lookAtService, readLook } from '../../../src/servers/service-look.ts'
import { FakeClock } from '../core/fake-clock.ts'

const ADDRESS = '127.0.0.1:11434'

describe('readLook', () => {
  it.each([
    ['inactive', 'Active: inactive (dead)', /sudo systemctl start ollama/],
    ['failed', 'Active: failed', /journalctl -u ollama/],
    ['active', 'Active: active (running)', /127\.0\.0\.1:11434.*listens elsewhere/],
    ['activating', 'Active: activating', /in a moment/],
    ['', 'Unit ollama.service could not be found.', /ollama\.com\/download/],
    ['processes', '', /ollama serve/],
    ['processes', '812 ollama serve', /listens elsewhere/],
  ])('says what to do when the service is %s', (state, line, advice) => {
    const look = readLook(`Welcome!\nollama-remote-service ${state}\n${line}\n`, ADDRESS)
    expect(look.lines).toEqual(line === '' ? [] : [line])
    expect(look.advice.join('\n')).toMatch(advice)
  })

  it('shows nothing that could move a cursor, and not more than can be read', () => {
    const { lines } = readLook(
      `ollama-remote-service x\n\u001b[32m● on\u0007\u009b\u202e\n${'y'.repeat(999)}\n${'z\n'.repeat(99)}`,
      ADDRESS,
    )
    expect(lines[0]).toBe('● on')
    expect(lines[1]).toHaveLength(301)
    expect(lines).toHaveLength(40)
  })
})

describe('lookAtService', () => {
  it('runs one command that only reads, which any shell takes', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'service-'))
    const systemctl = join(folder, 'systemctl')
    await writeFile(systemctl, '#!/bin/sh\n[ "$1" = is-active ] && { echo inactive; exit 3; }\necho "ran $*"; exit 3\n')
    await chmod(systemctl, 0o755)
    const commands: string[] = []
    const run = async (command: string) => {
      commands.push(command)
      const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
      const ran = promisify(execFile)('/bin/sh', ['-c', command], { env })
      const output = await ran.then(
        ({ stdout }) => stdout,
        ({ stdout }) => stdout as string,
      )
      return { code: 3, output: Buffer.from(output) }
    }
    const clock = new FakeClock()
    const config = { name: 'gpu', url: new URL('http://127.0.0.1:11434') } as never
    expect(await lookAtService({ config, run }, clock)).toEqual({
      lines: ['ran status ollama --no-pager -n 5'],
      advice: ['The service does not run. Start it on the server: sudo systemctl start ollama'],
    })
    expect(commands).toHaveLength(1)
    expect(commands[0]).not.toMatch(/start|stop|sudo/)
    await clock.advance(60_000)
    expect(clock.timers).toBe(0)
  })
})
