// Every code there is can be met, and says what happened and what to do next. The compiler proves the table complete.
// How long it takes until the user knows, and what is left in the chat then, is in doc/reliability.md.
import { mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { App } from '../../../src/app.ts'
import { ownerOf } from '../../../src/chat/journal/owner.ts'
import { Claims } from '../../../src/chat/store/claims.ts'
import { readWhole, replaceFile } from '../../../src/chat/store/disk.ts'
import { excerpt } from '../../../src/chat/store/excerpt.ts'
import { writeFailure } from '../../../src/chat/store/failures.ts'
import { listed } from '../../../src/chat/store/listing.ts'
import { Trash } from '../../../src/chat/store/trash.ts'
import { keepInConfigFile, readConfigFile } from '../../../src/config/load.ts'
import { parseLuaTable } from '../../../src/config/lua-table.ts'
import { resolveConfig } from '../../../src/config/schema.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { ERROR_CODES, type ErrorCode, PluginError, toPluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import { Editor } from '../../../src/nvim/editor.ts'
import { errorFromAnswer } from '../../../src/providers/ollama-errors.ts'
import { partsOf } from '../../../src/providers/ollama-stream.ts'
import { pullError } from '../../../src/providers/pull-errors.ts'
import { ProviderRouter } from '../../../src/providers/router.ts'
import { type Envelope, PROTOCOL_VERSION } from '../../../src/rpc/protocol.ts'
import { RpcRouter } from '../../../src/rpc/router.ts'
import { DirectLink } from '../../../src/tunnel/direct.ts'
import { judgeHostKey, REFUSE } from '../../../src/tunnel/host-keys/host-key.ts'
import { knownHostsLine, parseKnownHosts } from '../../../src/tunnel/host-keys/known-hosts.ts'
import { SecretsFile } from '../../../src/tunnel/secrets/secrets-file.ts'
import { resolveSsh } from '../../../src/tunnel/ssh-config/ssh-config.ts'
import { refuseUnsupportedRoute } from '../../../src/tunnel/ssh-config/ssh-parameters.ts'
import { channelError, channelTimeout, connectError, lostError, timeoutError } from '../../../src/tunnel/ssh-errors.ts'
import { sshTarget } from '../../support/ssh-target.ts'
import { setUpChats } from '../chat/chats-rig.ts'
import { CHAT, setUp } from '../chat/rig.ts'
import { memoryFiles, PARAMETERS, scripted } from '../tunnel/fakes.ts'
import { failedLogin } from '../tunnel/login/failed-login.ts'

/** How a code is met, and what the user reads then: its sentence, and its hint where there is something to do. */
interface Meeting {
  meet: () => unknown
  reads: RegExp
  hint?: RegExp
}

const PLACE = { alias: 'gpu', host: 'gpu.example.com', port: 22 }
const OLLAMA = { host: '127.0.0.1', port: 11434 }
const of = (code: string, message = code) => Object.assign(new Error(message), { code })
const answered = (status: number, error: string) => () => {
  throw errorFromAnswer(JSON.stringify({ error }), { server: 'gpu', status, model: 'qwen3:4b' })
}
const pulled = (error: string) => () => {
  throw pullError(JSON.stringify({ error }), { server: 'gpu', model: 'qwen3:4b' })
}
const thrown = (error: unknown) => () => {
  throw error
}

const MEETINGS: Record<ErrorCode, Meeting> = {
  CONFIG_INVALID: {
    meet: () => resolveConfig({ servers: { gpu: { ssh: { host: 'gpu', prot: 22 } } } }, 'setup()'),
    reads: /^setup\(\): unknown option servers\.gpu\.ssh\.prot$/,
    hint: /:help ollama-remote-configuration/,
  },
  CONFIG_UNREADABLE: { meet: () => readConfigFile('/'), reads: /^\/: EISDIR/, hint: /who may read/ },
  CONFIG_BROKEN: {
    meet: () => parseLuaTable('return {\n  node = os.getenv("NODE"),\n}'),
    reads: /^line 2: only strings, numbers/,
  },
  CONFIG_UNWRITABLE: {
    meet: unwritableConfig,
    reads: /ollama_config\.lua: /,
    hint: /who may read and write/,
  },
  SSH_CONFIG_INVALID: {
    meet: () =>
      resolveSsh(sshTarget({ host: 'gpu' }), {
        ...{ files: memoryFiles(), log: silentLog },
        run: async () => ({ kind: 'done', code: 255, stdout: '', stderr: 'line 3: Bad configuration option: prot' }),
      }),
    reads: /^ssh does not understand how to reach gpu: line 3: Bad configuration option: prot$/,
    hint: /ssh -G gpu/,
  },
  SSH_HOST_NOT_FOUND: {
    meet: thrown(connectError(of('ENOTFOUND', 'getaddrinfo ENOTFOUND gpu.example.com'), PLACE)),
    reads: /^The host name gpu\.example\.com is not known$/,
    hint: /ssh -G gpu/,
  },
  SSH_UNREACHABLE: {
    meet: thrown(connectError(of('ECONNREFUSED'), PLACE)),
    reads: /^gpu\.example\.com:22 refuses connections$/,
    hint: /sshd runs/,
  },
  SSH_CONNECTION_TIMEOUT: {
    meet: thrown(timeoutError('dialling', 15_000, PLACE)),
    reads: /^gpu\.example\.com:22 gave no answer in 15 s while dialling$/,
    hint: /connect_timeout/,
  },
  SSH_DROPPED_EARLY: {
    meet: thrown(connectError(new Error('Connection lost before handshake'), PLACE)),
    reads: /closed the connection before it said anything$/,
    hint: /wait half a minute/,
  },
  SSH_NO_COMMON_ALGORITHM: {
    meet: thrown(connectError(new Error('Handshake failed: no matching key exchange algorithm'), PLACE)),
    reads: /share no algorithm/,
    hint: /post-quantum/,
  },
  SSH_HOST_KEY_UNKNOWN: {
    meet: () => judged('', [REFUSE]),
    reads: /^The host key of gpu\.example\.com was not trusted$/,
    hint: /ssh-keygen -lf .*SHA256:/,
  },
  SSH_HOST_KEY_CHANGED: {
    meet: () => judged(knownHostsLine('gpu.example.com', hostKey(2), { hashed: false })),
    reads: /has changed: known is ED25519 SHA256:\S+ \(\S+known_hosts:1\), shown was ED25519 SHA256:/,
    hint: /ssh-keygen -R 'gpu\.example\.com'/,
  },
  SSH_HOST_KEY_REVOKED: {
    meet: () => judged(`@revoked ${knownHostsLine('gpu.example.com', hostKey(1), { hashed: false })}`),
    reads: /marked as revoked at \S+known_hosts:1/,
    hint: /Do not connect/,
  },
  SSH_KEY_UNSUPPORTED: {
    meet: () => failedLogin({ files: { '/k': 'no key at all' }, identity: '/k', methods: ['publickey'] }),
    reads: /^No key for bob@gpu can be used: \/k: unusable/,
    hint: /identity_file/,
  },
  SSH_PASSPHRASE_WRONG: {
    meet: () => failedLogin({ locked: '/k', answers: ['a', 'b', 'c'], methods: ['publickey'] }),
    reads: /^The passphrase of \/k was wrong every time/,
    hint: /ssh-keygen -y -f \/k/,
  },
  SSH_AUTH_FAILED: {
    meet: () => failedLogin({ methods: ['publickey'] }),
    reads: /^Login to bob@gpu failed: no key was found/,
    hint: /authorized_keys/,
  },
  SSH_AUTH_CANCELLED: {
    meet: () => failedLogin({ answers: [undefined], methods: ['password'] }),
    reads: /^The login to bob@gpu was cancelled/,
    hint: /asks again/,
  },
  SSH_FORWARDING_DENIED: {
    meet: thrown(channelError(Object.assign(new Error('open failed'), { reason: 1 }), OLLAMA, PLACE)),
    reads: /^gpu does not forward to 127\.0\.0\.1:11434$/,
    hint: /AllowTcpForwarding/,
  },
  SSH_CHANNEL_ERROR: {
    meet: thrown(channelTimeout(8_000, OLLAMA, PLACE)),
    reads: /^gpu did not open a channel to 127\.0\.0\.1:11434 in 8 s$/,
    hint: /firewalled/,
  },
  SSH_DISCONNECTED: {
    meet: thrown(lostError(new Error('Keepalive timeout'), PLACE)),
    reads: /^The SSH connection to gpu was lost: nothing came back/,
    hint: /connects anew|network/,
  },
  SSH_UNSUPPORTED: {
    meet: () => refuseUnsupportedRoute({ ...PARAMETERS, bindInterface: 'wg0' }),
    reads: /BindInterface wg0/,
    hint: /BindInterface/,
  },
  API_UNAVAILABLE: { meet: dialNobody, reads: /^Nothing listens on 127\.0\.0\.1:\d+$/, hint: /ollama serve/ },
  SERVER_NOT_FOUND: {
    meet: () => new ProviderRouter(new Map()).provider('lab'),
    reads: /^No server is called "lab"$/,
    hint: /Configured are/,
  },
  SECRETS_UNREADABLE: { meet: damagedSecrets, reads: /damaged/, hint: /\S/ },
  API_INVALID_MODEL: {
    meet: answered(404, "model 'qwen3:4b' not found"),
    reads: /^gpu has no model "qwen3:4b"$/,
    hint: /gP in the chat pulls it/,
  },
  API_MODEL_UNFIT: {
    meet: answered(400, '"qwen3:4b" does not support thinking'),
    reads: /does not support thinking$/,
    hint: /:Ollama model/,
  },
  API_RATE_LIMITED: {
    meet: answered(503, 'server busy, please try again.  maximum pending requests exceeded'),
    reads: /^gpu is busy/,
    hint: /gr/,
  },
  API_FORBIDDEN: { meet: answered(401, 'unauthorized'), reads: /not signed in/, hint: /ollama signin/ },
  API_CONTEXT_FULL: {
    meet: answered(400, 'the request exceeds the available context size'),
    reads: /longer than the model's context window/,
    hint: /num_ctx/,
  },
  API_ERROR: { meet: answered(500, 'llama runner process has terminated'), reads: /has terminated$/, hint: /gr asks/ },
  API_PROTOCOL: {
    meet: () => partsRead('<html>It works!</html>\n'),
    reads: /^gpu sent what is no answer of Ollama: <html>/,
    hint: /url/,
  },
  API_INCOMPLETE: {
    meet: () => partsRead('{"message":{"content":"half"},"done":false}\n'),
    reads: /^gpu ended the answer before it was done$/,
    hint: /kept/,
  },
  MODEL_NOT_FOUND: {
    meet: pulled('pull model manifest: file does not exist'),
    reads: /^The registry has no model "qwen3:4b"$/,
    hint: /name and tag/,
  },
  PULL_FAILED: {
    meet: pulled('this model requires MLX support'),
    reads: /^gpu could not pull qwen3:4b: this model requires MLX/,
    hint: /log of Ollama/,
  },
  PULL_DISK_FULL: {
    meet: pulled('write /models/blobs/sha256-1-partial: no space left on device'),
    reads: /^The disk of gpu is full: qwen3:4b does not fit$/,
    hint: /Delete a model/,
  },
  PULL_NEEDS_NEWER: {
    meet: pulled('pull model manifest: 412: \n\nThe model requires a newer version of Ollama.'),
    reads: /^qwen3:4b needs a newer Ollama than gpu has$/,
    hint: /Update Ollama on the server/,
  },
  REGISTRY_UNREACHABLE: {
    meet: pulled('pull model manifest: dial tcp: lookup registry.ollama.ai: no such host'),
    reads: /^gpu cannot reach the registry: .*no such host$/,
    hint: /the server that fetches/,
  },
  REGISTRY_REFUSED: {
    meet: pulled('pull model manifest: 401: {"errors":[{"code":"UNAUTHORIZED","message":"authentication required"}]}'),
    reads: /^The registry refuses qwen3:4b to gpu: .*401: authentication required$/,
    hint: /ollama signin/,
  },
  CHAT_NO_MODEL: {
    meet: () => new ProviderRouter(new Map()).locate(''),
    reads: /names no model$/,
    hint: /:Ollama model/,
  },
  CHAT_NO_TURN: {
    meet: () => setUp().session.editing.take({ turn: 9 }),
    reads: /^This chat has no turn 9$/,
    hint: /\S/,
  },
  CHAT_STOPPED: { meet: closedChat, reads: /^This chat is closed$/ },
  CHAT_BUSY: { meet: busyChat, reads: /^An answer is still coming$/, hint: /Stop it first/ },
  CHAT_READ_ONLY: { meet: onlyRead, reads: /^This chat is only read here$/, hint: /<CR>/ },
  CHAT_IN_USE: { meet: openElsewhere, reads: /^a\.txt is open in another Neovim$/, hint: /as a copy/ },
  STORE_NOT_FOUND: {
    meet: () => excerpt('/nowhere/a.txt', 3),
    reads: /no saved chat \/nowhere\/a\.txt$/,
    hint: /:Ollama load/,
  },
  STORE_UNREADABLE: {
    meet: async () => listed(await fileInPlaceOfFolder()),
    reads: /cannot be read: ENOTDIR/,
    hint: /who may/,
  },
  STORE_UNWRITABLE: { meet: noTrash, reads: /cannot be written: /, hint: /who may write/ },
  STORE_FULL: {
    meet: thrown(writeFailure(of('ENOSPC'), '/c/a.txt')),
    reads: /^There is no room left/,
    hint: /Make room/,
  },
  STORE_CHANGED: { meet: changedByAnother, reads: /was changed by another program$/, hint: /another name/ },
  RPC_INVALID: {
    meet: () => rpc('chat.send', { chat: 'one' }),
    reads: /^chat\.send: chat: .*; text: /,
    hint: /:Ollama restart/,
  },
  RPC_VERSION: {
    meet: shakenByAnother,
    reads: /^The host speaks protocol \d+, Neovim \d+$/,
    hint: /restart Neovim/,
  },
  EDITOR_GONE: {
    meet: () => new Editor({ request: async () => null }).render(1, 'text'),
    reads: /^Neovim did not answer as expected$/,
  },
  CANCELLED: { meet: () => abandonedDial(), reads: /^Cancelled$/ },
  INTERNAL: {
    meet: thrown(new TypeError("Cannot read properties of undefined (reading 'x')")),
    reads: /^Cannot read properties/,
    hint: /:Ollama log/,
  },
}

it('tells of every code in the table', () => {
  expect(Object.keys(MEETINGS).toSorted()).toEqual([...ERROR_CODES].toSorted())
})

it.each(Object.entries(MEETINGS))('%s is met, and read with what to do next', async (code, { meet, reads, hint }) => {
  const error = await Promise.resolve()
    .then(meet)
    .then(
      () => undefined,
      (reason: unknown) => toPluginError(reason),
    )
  expect(error?.code).toBe(code)
  expect(error?.message).toMatch(reads)
  if (hint) expect(error?.hint).toMatch(hint)
})

function hostKey(byte: number): Buffer {
  return Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0 '), Buffer.alloc(32, byte)])
}

function judged(known: string, answers: string[] = []): Promise<void> {
  const { prompts } = scripted(...answers)
  const { signal } = new AbortController()
  const context = { parameters: PARAMETERS, files: memoryFiles(), prompts, signal, log: silentLog, onNotice: () => {} }
  return judgeHostKey(hostKey(1), { ...context, known: parseKnownHosts(known, '/home/bob/.ssh/known_hosts') })
}

async function dialNobody(): Promise<void> {
  const port = await new Promise<number>((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number }
      server.close(() => resolve(port))
    })
  })
  await new DirectLink().open('127.0.0.1', port)
}

function abandonedDial(): Promise<unknown> {
  return new DirectLink().open('127.0.0.1', 9, AbortSignal.abort())
}

async function folderOfItsOwn(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'ollama-remote-errors-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  return folder
}

/** Behind a link to nowhere not even root can write. */
async function unwritableConfig(): Promise<void> {
  const folder = await folderOfItsOwn()
  await symlink(join(folder, 'nowhere'), join(folder, 'link'))
  await keepInConfigFile(join(folder, 'link', 'ollama_config.lua'), { default_model: 'gpu:m' })
}

async function fileInPlaceOfFolder(): Promise<string> {
  const path = join(await folderOfItsOwn(), 'file')
  await writeFile(path, '')
  return path
}

async function noTrash(): Promise<void> {
  const folder = await fileInPlaceOfFolder()
  await new Trash({ folder: () => folder, chats: () => folder, clock: systemClock }).take(['a.txt'], 'delete')
}

async function changedByAnother(): Promise<void> {
  const path = await fileInPlaceOfFolder()
  const { stamp } = await readWhole(path)
  await writeFile(path, 'more')
  await replaceFile(path, 'mine', stamp)
}

async function onlyRead(): Promise<void> {
  const folder = await folderOfItsOwn()
  await writeFile(join(folder, 'a.txt'), 'Why?')
  const { handlers } = await setUpChats(folder)
  await handlers['chat.load']({ chat: CHAT, file: 'a.txt' })
  await handlers['chat.send']({ chat: CHAT, text: 'And?' })
}

async function openElsewhere(): Promise<void> {
  const folder = await folderOfItsOwn()
  const claimsOf = (pid: number) => new Claims({ folder: () => folder, owner: () => ownerOf(pid), clock: systemClock })
  await claimsOf(process.ppid).claim('a.txt')
  await claimsOf(process.pid).claim('a.txt')
}

async function damagedSecrets(): Promise<void> {
  const folder = await folderOfItsOwn()
  await writeFile(join(folder, 'secrets.json'), '{"version": 1, "keyring": [')
  await new SecretsFile(() => join(folder, 'secrets.json')).read()
}

async function partsRead(body: string): Promise<void> {
  for await (const _ of partsOf(
    (async function* () {
      yield Buffer.from(body)
    })(),
    { server: 'gpu', model: 'qwen3:4b' },
  ));
}

function closedChat(): Promise<void> {
  const { session } = setUp()
  session.close()
  return session.send('hello')
}

async function busyChat(): Promise<void> {
  const { session } = setUp()
  void session.send('hello')
  await session.again()
}

async function rpc(method: string, params: unknown): Promise<void> {
  const envelope = await new RpcRouter({} as never, () => silentLog).answer(method, params)
  refuse(envelope)
}

/** A Neovim of another version greets the host. */
async function shakenByAnother(): Promise<void> {
  const replies: Envelope[] = []
  const client = { request: async (_: string, [, verb]: [string, [number, Envelope]]) => void replies.push(verb[1]) }
  const files = { config_file: '/c', log_file: '/l', data_dir: '/d' }
  await new App(client as never).receive([1, 'handshake', { protocol: PROTOCOL_VERSION + 1, config: {}, ...files }])
  for (const envelope of replies) refuse(envelope)
}

/** As Lua takes it. */
function refuse(envelope: Envelope): void {
  if (envelope.ok) return
  const { code, message, hint } = envelope.error
  throw new PluginError(code, message, hint === undefined ? {} : { hint })
}
