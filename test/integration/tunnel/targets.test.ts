// Where the requests end: a unix socket, or a server with certificates, each dialled from here and through a real sshd.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as HttpServer, type RequestListener } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/core/clock.ts'
import { silentLog } from '../../../src/core/log.ts'
import { openServer, type Server } from '../../../src/tunnel/server.ts'
import { describeWithSshd } from '../../support/real-parts.ts'
import { type Sshd, startSshd } from '../../support/sshd.ts'
import { failureOf, get, openRig, person } from './tunnel-rig.ts'

let folder: string
let socketPath: string
let authority: string
let secure: { trusted: number; expired: number }
const stops: (() => unknown)[] = []
const open: Server[] = []

type Opener = (url: string, caFile?: string) => Promise<Server>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'targets-'))
  socketPath = join(folder, 'a socket')
  const answer: RequestListener = (request, response) => response.end(`host ${request.headers.host}`)
  const start = async (server: HttpServer, place: string | number) => {
    await new Promise<void>((resolve) => server.listen(place as number, resolve))
    stops.push(() => {
      server.closeAllConnections()
      server.close()
    })
    return (server.address() as AddressInfo).port
  }
  await start(createServer(answer), socketPath)
  authority = makeAuthority(folder)
  const made = (name: string, days: number) => createSecureServer(makeCertificate(folder, name, days), answer)
  secure = { trusted: await start(made('trusted', 2), 0), expired: await start(made('expired', -1), 0) }
})
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})
afterAll(() => {
  for (const stop of stops) stop()
  rmSync(folder, { recursive: true })
})

describe('dialled from here', () => {
  targets(async (url, caFile) => {
    const config = { name: 'here', ssh: undefined, url: new URL(url), caFile }
    return openServer(config, { prompts: person().prompts, clock: systemClock, log: silentLog })
  })

  it('says why a socket cannot be used', async () => {
    const config = { name: 'here', ssh: undefined, url: new URL(`unix:${folder}/none`), caFile: undefined }
    const server = openServer(config, { prompts: person().prompts, clock: systemClock, log: silentLog })
    open.push(server)
    expect(await failureOf(get(server))).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: `The socket ${folder}/none has nobody who listens`,
    })
  })
})

describeWithSshd('through a real sshd', (openssh) => {
  let sshd: Sshd
  beforeAll(async () => {
    sshd = await startSshd({ openssh })
  })
  afterAll(() => sshd.stop())

  const opener: Opener = async (url, caFile) => {
    const { host, port, user, clientKey } = sshd
    const known = { identityFile: clientKey.path, knownHosts: sshd.knownHostsLine() }
    const place = { folder, host, port, user, backend: undefined as never, url: new URL(url) }
    return (await openRig({ ...place, ...known, ...(caFile === undefined ? {} : { caFile }) })).server
  }
  targets(opener)

  it('says that a socket is not opened', async () => {
    const server = await opener(`unix:${folder}/none`)
    open.push(server)
    expect(await failureOf(get(server))).toMatchObject({
      code: 'API_UNAVAILABLE',
      message: `127.0.0.1 does not open the socket ${folder}/none`,
    })
  })
})

function targets(opener: Opener): void {
  const opened = async (url: string, caFile?: string) => {
    const server = await opener(url, caFile)
    open.push(server)
    return server
  }

  it('a unix socket is a host', async () => {
    expect(await get(await opened(`unix:${socketPath}`))).toBe('host localhost')
  })

  it('a certificate of an authority that is named is trusted', async () => {
    const server = await opened(`https://localhost:${secure.trusted}`, authority)
    expect(await get(server)).toBe(`host localhost:${secure.trusted}`)
  })

  it('a certificate that nobody vouches for is refused, with the mend', async () => {
    expect(await failureOf(get(await opened(`https://localhost:${secure.trusted}`)))).toMatchObject({
      code: 'API_UNAVAILABLE',
      hint: expect.stringContaining('ca_file'),
    })
  })

  it('a certificate of another name is refused', async () => {
    expect(await failureOf(get(await opened(`https://127.0.0.1:${secure.trusted}`, authority)))).toMatchObject({
      code: 'API_UNAVAILABLE',
      hint: expect.stringContaining('name the server'),
    })
  })

  it('a certificate out of date is refused', async () => {
    expect(await failureOf(get(await opened(`https://localhost:${secure.expired}`, authority)))).toMatchObject({
      code: 'API_UNAVAILABLE',
      hint: expect.stringContaining('Renew'),
    })
  })

  it('a file without certificates is told, and read again once it is mended', async () => {
    const path = join(folder, 'authorities.pem')
    writeFileSync(path, 'nothing')
    const server = await opened(`https://localhost:${secure.trusted}`, path)
    expect(await failureOf(get(server))).toMatchObject({ code: 'CONFIG_INVALID' })
    writeFileSync(path, readFileSync(authority))
    expect(await get(server)).toContain('host')
  })
}

function openssl(...words: string[]): void {
  execFileSync('openssl', words, { cwd: folder, stdio: 'pipe' })
}

/** The path of a new authority's certificate. */
function makeAuthority(folder: string): string {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', 'ca.key']
  openssl('req', '-x509', ...key, '-out', 'ca.pem', '-subj', '/CN=Test', '-days', '2')
  return join(folder, 'ca.pem')
}

function makeCertificate(folder: string, name: string, days: number): { key: Buffer; cert: Buffer } {
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', `${name}.key`]
  openssl('req', ...key, '-out', `${name}.csr`, '-subj', '/CN=localhost')
  writeFileSync(join(folder, `${name}.ext`), 'subjectAltName=DNS:localhost\n')
  const by = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', `${name}.ext`]
  openssl('x509', '-req', '-in', `${name}.csr`, ...by, '-out', `${name}.pem`, '-days', String(days))
  return { key: readFileSync(join(folder, `${name}.key`)), cert: readFileSync(join(folder, `${name}.pem`)) }
}
