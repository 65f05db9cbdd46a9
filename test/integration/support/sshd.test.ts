import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect, createServer } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, expect, it } from 'vitest'
import { type Outcome, run } from '../../../scripts/provision/command.ts'
import { freePort } from '../../support/free-port.ts'
import { descendants, isAlive } from '../../support/process-tree.ts'
import { describeWithNeovim, describeWithSshd, neovims } from '../../support/real-parts.ts'
import { type Agent, startAgent } from '../../support/ssh-agent.ts'
import { type Sshd, type SshdOptions, startSshd } from '../../support/sshd.ts'
import { startWatched } from '../../support/watched-process.ts'

describeWithSshd('a real sshd', (openssh) => {
  const closing: (() => Promise<void>)[] = []
  afterEach(async () => {
    for (const close of closing.splice(0).reverse()) await close()
  })

  async function start(options: SshdOptions = {}): Promise<Sshd> {
    const sshd = await startSshd({ openssh, ...options })
    closing.push(() => sshd.stop())
    return sshd
  }

  async function clientArgs(sshd: Sshd, more: string[]): Promise<string[]> {
    const knownHosts = join(sshd.folder, 'known_hosts')
    await writeFile(knownHosts, `${sshd.knownHostsLine(true)}\n`)
    const options = ['IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', `UserKnownHostsFile=${knownHosts}`]
    const switches = options.flatMap((option) => ['-o', option])
    return [
      '-F',
      'none',
      '-p',
      `${sshd.port}`,
      '-l',
      sshd.user,
      ...more.slice(0, -1),
      ...switches,
      sshd.host,
      ...more.slice(-1),
    ]
  }

  async function ssh(sshd: Sshd, more: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return run(openssh.ssh, await clientArgs(sshd, more), { environment })
  }

  async function askpass(sshd: Sshd, answer: string): Promise<Record<string, string>> {
    const path = join(sshd.folder, 'askpass')
    await writeFile(path, `#!/bin/sh\necho '${answer}'\n`)
    await chmod(path, 0o700)
    return { SSH_ASKPASS: path, SSH_ASKPASS_REQUIRE: 'force' }
  }

  async function greeter(): Promise<number> {
    const server = createServer((socket) => socket.end('hello'))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    closing.push(async () => void server.close())
    return (server.address() as AddressInfo).port
  }

  async function openSession(sshd: Sshd): Promise<ChildProcess> {
    const args = await clientArgs(sshd, ['-i', sshd.clientKey.path, 'echo ready; sleep 600'])
    const session = startWatched(openssh.ssh, args, {})
    closing.push(async () => void session.child.kill())
    await session.waitFor(/ready/)
    return session.child
  }

  it('accepts its key and gives the user a home of its own', async () => {
    const sshd = await start()
    const outcome = await ssh(sshd, ['-i', sshd.clientKey.path, 'pwd; env'])
    expect(outcome).toMatchObject({ code: 0, stdout: expect.stringContaining(sshd.home) })
    expect(outcome.stdout).not.toMatch(/LD_PRELOAD|NSS_WRAPPER/)
    await sshd.waitForLog(/Accepted publickey for ollama/)
  })

  it('accepts an encrypted key', async () => {
    const sshd = await start()
    const { path, passphrase } = sshd.clientKeyEncrypted
    expect(await ssh(sshd, ['-i', path, 'echo in'], await askpass(sshd, passphrase))).toMatchObject({ stdout: 'in\n' })
    expect(await ssh(sshd, ['-i', path, 'echo in'], await askpass(sshd, 'wrong'))).toMatchObject({ code: 255 })
  })

  it('accepts a password, and refuses a wrong one', async () => {
    const sshd = await start({ methods: ['password'] })
    expect(await ssh(sshd, ['echo in'], await askpass(sshd, sshd.password ?? ''))).toMatchObject({ stdout: 'in\n' })
    const once = ['-o', 'NumberOfPasswordPrompts=1', 'echo in']
    expect(await ssh(sshd, once, await askpass(sshd, 'wrong'))).toMatchObject({ code: 255 })
    expect(await ssh(sshd, ['-i', sshd.clientKey.path, '-o', 'BatchMode=yes', 'echo in'])).toMatchObject({ code: 255 })
  })

  it('accepts a key of an agent', async () => {
    const sshd = await start()
    const agent: Agent = await startAgent([sshd.clientKeyEncrypted], openssh)
    closing.push(() => agent.stop())
    const more = ['-o', 'BatchMode=yes', '-o', 'IdentitiesOnly=no', 'echo in']
    expect(await ssh(sshd, more, { SSH_AUTH_SOCK: agent.socket })).toMatchObject({ stdout: 'in\n' })
    await agent.stop()
    expect(existsSync(agent.socket)).toBe(false)
  })

  it('forwards by -W and by -N -L', async () => {
    const sshd = await start()
    const target = `127.0.0.1:${await greeter()}`
    const direct = await clientArgs(sshd, ['-i', sshd.clientKey.path, '-W', target, '--'])
    expect(await run(openssh.ssh, direct.slice(0, -1))).toMatchObject({ code: 0, stdout: 'hello' })
    const port = await freePort()
    const args = await clientArgs(sshd, [
      '-v',
      '-i',
      sshd.clientKey.path,
      '-N',
      '-L',
      `127.0.0.1:${port}:${target}`,
      '--',
    ])
    const forward = startWatched(openssh.ssh, args.slice(0, -1), {})
    closing.push(async () => void forward.child.kill())
    await forward.waitFor(/Entering interactive session/)
    expect(await text(connect(port, '127.0.0.1'))).toBe('hello')
  })

  it('refuses what its configuration forbids', async () => {
    const sshd = await start({ config: ['AllowTcpForwarding no', 'Match User nobody', '  AllowTcpForwarding yes'] })
    const args = await clientArgs(sshd, ['-i', sshd.clientKey.path, '-W', `127.0.0.1:${await greeter()}`, '--'])
    const outcome = await run(openssh.ssh, args.slice(0, -1))
    expect(outcome.stderr).toContain('administratively prohibited')
    expect(sshd.config.slice(-1)).toEqual(['  AllowTcpForwarding yes'])
  })

  it('kills sessions while the listener stays', async () => {
    const sshd = await start()
    const session = await openSession(sshd)
    const ended = new Promise((resolve) => session.once('exit', resolve))
    await sshd.killSessions()
    expect(await ended).toBe(255)
    expect(await ssh(sshd, ['-i', sshd.clientKey.path, 'echo in'])).toMatchObject({ stdout: 'in\n' })
  })

  it('restarts on its port, with another key and configuration when asked', async () => {
    const sshd = await start({ hostKeyTypes: ['ed25519', 'rsa'] })
    const before = sshd.hostKey
    expect(sshd.hostKeys.map((key) => key.publicLine.split(' ')[0])).toEqual(['ssh-ed25519', 'ssh-rsa'])
    await sshd.restart()
    expect(sshd.hostKey).toEqual(before)
    const stale = await readFile(join(sshd.folder, 'host-ed25519.pub'), 'utf8')
    await sshd.restart({ newHostKey: true, config: ['Banner none', 'MaxSessions 0'] })
    expect(stale).toContain(before.publicLine)
    expect(sshd.hostKey.fingerprint).not.toBe(before.fingerprint)
    expect(await ssh(sshd, ['-i', sshd.clientKey.path, 'echo in'])).toMatchObject({ code: 255 })
    expect(sshd.log().match(/Server listening/g)).toHaveLength(3)
  })

  it('leaves no process and no file, not even what outlived its connection', async () => {
    const before = new Set(descendants(process.pid))
    const sshd = await start()
    const session = await openSession(sshd)
    const started = descendants(process.pid).filter((pid) => !before.has(pid))
    expect(started.length).toBeGreaterThan(3)
    const ended = new Promise((resolve) => session.once('exit', resolve))
    session.kill()
    await ended
    await sshd.waitForLog(/Disconnected from|Connection closed by/)
    await sshd.stop()
    await sshd.stop()
    expect(started.filter(isAlive)).toEqual([])
    expect(existsSync(sshd.folder)).toBe(false)
  })

  it('tells its log when it cannot start', async () => {
    await expect(start({ config: ['NoSuchOption yes'] })).rejects.toThrow(/NoSuchOption/)
  })
})

describeWithNeovim('a real Neovim', (nvim, label) => {
  it('starts, names itself and parses Markdown', async () => {
    const check =
      'assert(vim.treesitter.get_string_parser("# a", "markdown"):parse(true)); io.stdout:write(vim.v.progpath)'
    const child = spawn(nvim.path, ['--clean', '--headless', '-c', `lua ${check}`, '-c', 'qall!'], {
      env: { ...process.env, ...nvim.environment },
    })
    expect(await text(child.stdout)).toBe(nvim.path)
    expect(neovims().map((found) => found.label)).toContain(label)
  })
})
