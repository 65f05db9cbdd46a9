// What the tunnel's integration tests share: an HTTP server behind the sshd, a person who answers prompts, and a server
// opened with a configuration of its own. Nothing of the machine's own ssh configuration is read.

import { writeFile } from 'node:fs/promises'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { SshTarget } from '../../../src/config/schema.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { logTo } from '../../../src/core/log.ts'
import { openServer, type Server, type ServerDependencies } from '../../../src/tunnel/server.ts'
import type { Prompts } from '../../../src/tunnel/transport.ts'
import { sshTarget } from '../../support/ssh-target.ts'

export interface Backend {
  url: URL
  /** How many TCP connections came. */
  connections: number
  requests: { method: string | undefined; host: string | undefined; body: string }[]
  /** Resolves when the next stream's client has gone. */
  nextHangUp(): Promise<void>
  /** Connections of which nothing is heard any more are cut, as a restarted server does. */
  cutConnections(): void
  stop(): Promise<void>
}

/** Answers /echo at once, /stream with a line every 10 ms without end, /cut with half an answer. */
export async function startBackend(): Promise<Backend> {
  let hangUps: (() => void)[] = []
  const stream = (response: ServerResponse) => {
    response.writeHead(200, { 'content-type': 'application/x-ndjson' })
    const timer = setInterval(() => response.write('{"n":1}\n'), 10)
    response.write('{"n":0}\n')
    response.on('close', () => {
      clearInterval(timer)
      for (const tell of hangUps) tell()
      hangUps = []
    })
  }
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk) => chunks.push(chunk))
    request.on('end', () => {
      const body = Buffer.concat(chunks).toString()
      backend.requests.push({ method: request.method, host: request.headers.host, body })
      if (request.url === '/stream') return stream(response)
      if (request.url === '/cut') {
        response.writeHead(200, { 'content-length': '100' })
        response.write('half', () => response.destroy())
        return
      }
      if (request.url === '/never') return
      response.setHeader('content-type', 'application/json')
      response.end(JSON.stringify({ path: request.url, body }))
    })
  })
  server.on('connection', () => backend.connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const backend: Backend = {
    url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`),
    connections: 0,
    requests: [],
    nextHangUp: () => new Promise((resolve) => hangUps.push(resolve)),
    cutConnections: () => server.closeAllConnections(),
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return backend
}

export interface Person {
  prompts: Prompts
  /** Titles and details of all that was asked, in order. */
  asked: { title: string; detail: string }[]
}

/** Answers prompts from a list; `undefined` cancels, and so does an empty list. */
export function person(...answers: (string | undefined)[]): Person {
  const asked: Person['asked'] = []
  const answer = async (question: { title: string; detail: string }) => {
    asked.push({ title: question.title, detail: question.detail })
    return answers.shift()
  }
  return { asked, prompts: { secret: answer, choose: answer } }
}

export interface RigOptions {
  folder: string
  host: string
  port: number
  user: string
  backend: Pick<Backend, 'url'>
  /** Lines of ssh_config for the host. */
  config?: readonly string[]
  /** Lines of ssh_config before them, for other hosts. */
  hosts?: readonly string[]
  target?: Partial<SshTarget>
  identityFile?: string | undefined
  /** The text of known_hosts; without it there is no such file. */
  knownHosts?: string | undefined
  person?: Person
  url?: URL
  caFile?: string
  more?: Partial<ServerDependencies>
}

export interface Rig {
  server: Server
  knownHostsFile: string
  notices: string[]
  log(): string
}

let count = 0

/** Opens a server with an ssh_config and a known_hosts of its own. */
export async function openRig(options: RigOptions): Promise<Rig> {
  const own = `rig-${process.pid}-${++count}`
  const knownHostsFile = join(options.folder, `${own}-known_hosts`)
  const sshConfigFile = join(options.folder, `${own}-config`)
  if (options.knownHosts !== undefined) await writeFile(knownHostsFile, `${options.knownHosts}\n`)
  const lines = [
    ...(options.config ?? []),
    `UserKnownHostsFile ${knownHostsFile}`,
    'GlobalKnownHostsFile none',
    'IdentityAgent none',
    'IdentityFile none',
  ]
  await writeFile(sshConfigFile, `${(options.hosts ?? []).join('\n')}\nHost *\n${lines.join('\n')}\n`)
  const written: string[] = []
  const notices: string[] = []
  const server = openServer(
    {
      name: 'test',
      url: options.url ?? options.backend.url,
      ssh: sshTarget({
        host: options.host,
        port: options.port,
        user: options.user,
        identityFile: options.identityFile,
        connectTimeoutMs: 5_000,
        ...options.target,
      }),
      caFile: options.caFile,
    },
    {
      prompts: (options.person ?? person()).prompts,
      clock: systemClock,
      log: logTo((line) => written.push(line), 'debug'),
      onNotice: (text) => notices.push(text),
      sshConfigFile,
      ...options.more,
    },
  )
  return { server, knownHostsFile, notices, log: () => written.join('') }
}

export async function text(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of body) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

export async function get(server: Server, path = '/echo'): Promise<string> {
  return text((await server.http.request({ method: 'GET', path })).body)
}

/** What a promise rejects with. */
export function failureOf(promise: Promise<unknown>): Promise<Error & { code?: string; hint?: string }> {
  return promise.then(
    () => {
      throw new Error('It did not fail')
    },
    (error) => error,
  )
}
