// ProxyCommands before a real sshd: one that carries, one that fails, one that hangs, one that dies, and what they leave behind.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import { descendants, isAlive, kill } from '../../support/process-tree.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { startWatched } from '../../support/watched-process.ts'
import { setStage } from './stage.ts'
import { failureOf, get, type RigOptions, text } from './tunnel-rig.ts'

/** What nc does, for a machine that has none. */
const PIPE = `
const [host, port] = process.argv.slice(2)
const socket = require('node:net').connect({ host, port: Number(port) })
process.stdin.pipe(socket).pipe(process.stdout)
socket.on('close', () => process.exit())
`

describeWithSshd('a ProxyCommand', (openssh) => {
  let pipe: string
  let before: number[]
  const started = () => descendants(process.pid).filter((pid) => !before.includes(pid))
  afterEach(() => expect.poll(() => started().length, { timeout: 5_000 }).toBe(0))
  const stage = setStage({ openssh, config: ['MaxStartups 100'] })
  beforeAll(() => {
    writeFileSync(join(stage.folder, 'pipe.cjs'), PIPE)
    pipe = `'${process.execPath}' ${join(stage.folder, 'pipe.cjs')}`
  })
  beforeEach(() => {
    before = descendants(process.pid)
  })

  const rig = (command: string, options: Partial<RigOptions> = {}) =>
    stage.rig({ config: [`ProxyCommand ${command}`], ...options })

  it('carries the connection, its tokens expanded, and ends with it', async () => {
    const { server } = await rig(`${pipe} %h %p`)
    expect(JSON.parse(await get(server)).path).toBe('/echo')
    expect(server.status().facts?.address).toBe(`${stage.sshd.user}@127.0.0.1:${stage.sshd.port}`)
    server.disconnect()
    await expect.poll(() => started().length).toBe(0)
    expect(JSON.parse(await get(server)).path).toBe('/echo')
  })

  it('may be ssh itself', async () => {
    const known = join(stage.folder, 'known')
    writeFileSync(known, `${stage.sshd.knownHostsLine()}\n`)
    const options = `-F none -o UserKnownHostsFile=${known} -i ${stage.sshd.clientKey.path} -p ${stage.sshd.port}`
    const { server } = await rig(`${openssh.ssh} ${options} -W %h:%p ${stage.sshd.user}@127.0.0.1`)
    await get(server)
  })

  it('carries large answers both ways', async () => {
    const { server } = await rig(`${pipe} %h %p`)
    const body = { text: 'x'.repeat(3_000_000) }
    const answer = await server.http.request({ method: 'POST', path: '/echo', body })
    expect(JSON.parse(JSON.parse(await text(answer.body)).body)).toEqual(body)
  })

  it('that fails tells its last words', async () => {
    const { server } = await rig('echo "no route to the moon" >&2; exit 3')
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_UNREACHABLE',
      message: expect.stringContaining('no route to the moon (it ended with 3)'),
    })
  })

  it('does not outlive a host that is killed, though it heeds no end of its input', async () => {
    const runner = join(PROJECT_ROOT, 'scripts/run.mjs')
    const script = fileURLToPath(new URL('proxy-process.ts', import.meta.url))
    const command = 'echo $$; while true; do sleep 1; done'
    const host = startWatched(process.execPath, [runner, script, command], {})
    const [, pid] = await host.waitFor(/^(\d+)$/m, { signal: AbortSignal.timeout(20_000) })
    expect(isAlive(Number(pid))).toBe(true)
    host.child.kill('SIGKILL')
    await expect.poll(() => isAlive(Number(pid)), { timeout: 10_000 }).toBe(false)
  })

  it.each([
    ['me@jump: Permission denied (publickey,password).', 'SSH_AUTH_FAILED'],
    ['Host key verification failed.', 'SSH_HOST_KEY_UNKNOWN'],
    ['WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! Host key verification failed.', 'SSH_HOST_KEY_CHANGED'],
  ])('of an ssh of its own that says "%s" is %s, which nothing tries again by itself', async (words, code) => {
    const { server } = await rig(`echo '${words}' >&2; exit 255`)
    expect(await failureOf(get(server))).toMatchObject({ code, message: expect.stringContaining(words) })
  })

  it('that is not there is told in the words of the shell', async () => {
    const { server } = await rig('/nonexistent/program')
    expect(await failureOf(get(server))).toMatchObject({
      code: 'SSH_CONFIG_INVALID',
      message: expect.stringContaining('not found'),
    })
  })

  it('that says nothing is given up with all that it started', async () => {
    const { server } = await rig('trap "" TERM; sleep 100 & sleep 100', { target: { connectTimeoutMs: 300 } })
    expect(await failureOf(get(server))).toMatchObject({ code: 'SSH_CONNECTION_TIMEOUT' })
  })

  it('that dies in mid-stream loses the connection at once, and says so', async () => {
    const { server } = await rig(`${pipe} %h %p`)
    const { body } = await server.http.request({ method: 'POST', path: '/stream' })
    const reading = failureOf(text(body))
    const ofServer = before.flatMap((pid) => descendants(pid))
    for (const pid of started()) if (!ofServer.includes(pid)) kill(pid, 'SIGKILL')
    expect(await reading).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: expect.stringContaining('The ProxyCommand for 127.0.0.1 carries no longer'),
    })
    await get(server)
  })

  it('ends when its request is aborted', async () => {
    const { server } = await rig('sleep 100')
    const controller = new AbortController()
    const failing = failureOf(server.http.request({ method: 'GET', path: '/echo', signal: controller.signal }))
    await expect.poll(() => started().length).toBeGreaterThan(0)
    controller.abort(new Error('enough'))
    expect((await failing).message).toBe('enough')
  })
})
