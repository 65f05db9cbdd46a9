// Starts a real sshd beside the system: own port, own keys, own user, in a folder of its own. Finding one is in openssh.ts.
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { findOpenssh, type Openssh } from '../../scripts/provision/openssh.ts'
import { freePort } from './free-port.ts'
import { descendants, kill, killAll, startedWith } from './process-tree.ts'
import * as files from './sshd-files.ts'
import {
  type FolderSettings,
  type HostKeyType,
  makeHostKeys,
  PASSPHRASE,
  prepareFolder,
  readHostKeys,
} from './sshd-folder.ts'
import { endWatched, startWatched, type WaitOptions, type WatchedProcess } from './watched-process.ts'

/** All optional; `config` lines win over ours and may end with Match blocks. */
export type SshdOptions = {
  openssh?: Openssh
  config?: readonly string[]
  /** Methods that the server offers; default: publickey only. */
  methods?: readonly files.LoginMethod[]
  /** Default: ed25519 only. */
  hostKeyTypes?: readonly HostKeyType[]
  /** Restrictions before each authorized key, such as `restrict,port-forwarding`. */
  keyOptions?: string
}

/** A running sshd. All three keys (plain, encrypted, and of the agent's choice) are authorized. */
export type Sshd = {
  host: '127.0.0.1'
  port: number
  /** The only user who can log in. */
  user: string
  /** Temporary folder with all files, removed by `stop`; the user's home is in it. */
  folder: string
  home: string
  /** The first of `hostKeys`. Both change with `restart({ newHostKey: true })`. */
  readonly hostKey: files.HostKey
  readonly hostKeys: readonly files.HostKey[]
  clientKey: { path: string; publicPath: string }
  clientKeyEncrypted: { path: string; publicPath: string; passphrase: string }
  /** Undefined when the user is a real one, because no NSS wrapper was found. */
  password: string | undefined
  /** The lines of sshd_config in use. */
  readonly config: readonly string[]
  /** All output of this sshd and of those before a restart; LogLevel is VERBOSE. */
  log(): string
  waitForLog(pattern: RegExp, options?: WaitOptions): Promise<RegExpExecArray>
  /** Ids of the processes of all connections, and of what they started. */
  sessions(): readonly number[]
  /** Kills the processes of all connections, commands that they started included; the listener stays. */
  killSessions(): Promise<void>
  /** Ends everything and removes the folder; may be called twice. */
  stop(): Promise<void>
  /** Same port; connections are cut. `config` replaces the lines given before. */
  restart(change?: { newHostKey?: boolean; config?: readonly string[] }): Promise<void>
  /** Lines of known_hosts, one for each host key. */
  knownHostsLine(hashed?: boolean): string
}

type Place = { openssh: Openssh; folder: string; options: SshdOptions; port: number }

const HOST = '127.0.0.1'
const PORT_ATTEMPTS = 5

/** @throws Error with sshd's log when it does not start, or with a reason when there is no OpenSSH. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const openssh = options.openssh ?? (await findOpenssh())
  if (openssh.kind === 'missing') throw new Error(openssh.reason)
  const folder = await mkdtemp(join(tmpdir(), 'sshd-'))
  try {
    const place: Place = { openssh, folder, options, port: 0 }
    await prepareFolder(settings(place))
    return await control(place, await listenOnFreePort(place))
  } catch (error) {
    await rm(folder, { recursive: true, force: true })
    throw error
  }
}

function settings({ openssh, folder, options }: Place): FolderSettings {
  return { openssh, folder, hostKeyTypes: options.hostKeyTypes ?? ['ed25519'], keyOptions: options.keyOptions }
}

function configLines(place: Place): string[] {
  const { openssh, folder, options, port } = place
  const { hostKeyTypes } = settings(place)
  const defaults = [
    `ListenAddress ${HOST}:${port}`,
    ...hostKeyTypes.map((type) => `HostKey ${join(folder, `host-${type}`)}`),
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    ...files.methodLines(options.methods ?? ['publickey']),
    'LogLevel VERBOSE',
    'PidFile none',
    'PermitRootLogin yes',
    // Temporary folders may be writable by others.
    'StrictModes no',
    'UsePAM no',
    'Subsystem sftp internal-sftp',
    ...openssh.options,
  ]
  return files.sshdConfig({ own: options.config ?? [], defaults })
}

async function listen(place: Place): Promise<WatchedProcess> {
  const { openssh, folder } = place
  const path = join(folder, 'sshd_config')
  await writeFile(path, `${configLines(place).join('\n')}\n`)
  const wrapper = {
    LD_PRELOAD: openssh.nssWrapper ?? '',
    NSS_WRAPPER_PASSWD: join(folder, 'passwd'),
    NSS_WRAPPER_GROUP: join(folder, 'group'),
    NSS_WRAPPER_SHADOW: join(folder, 'shadow'),
  }
  const sshd = startWatched(openssh.sshd, ['-D', '-e', '-f', path], openssh.nssWrapper === undefined ? {} : wrapper)
  try {
    await sshd.waitFor(/Server listening on/)
    return sshd
  } catch (error) {
    await endWatched(sshd, 'SIGKILL')
    throw error
  }
}

async function listenOnFreePort(place: Place): Promise<WatchedProcess> {
  for (let attempt = 1; ; attempt++) {
    place.port = await freePort()
    try {
      return await listen(place)
    } catch (error) {
      // Another process may have taken the port since we looked.
      if (attempt === PORT_ATTEMPTS || !String(error).includes('Address already in use')) throw error
    }
  }
}

async function control(place: Place, first: WatchedProcess): Promise<Sshd> {
  const { folder, openssh, port } = place
  let current = first
  let past = ''
  let hostKeys = await readHostKeys(settings(place))
  // What a user started outlives the connection, as with any sshd; it is still known by its environment.
  const ofConnection = new RegExp(`(^|\\0)SSH_CONNECTION=\\S+ \\d+ ${HOST} ${port}\\0`)
  const sessions = () => [
    ...(current.ended() ? [] : descendants(current.child.pid ?? -1)),
    ...startedWith(ofConnection),
  ]
  const end = async () => {
    const listener = current.child.pid
    if (listener !== undefined && !current.ended()) {
      // A stopped listener starts no session that we would not know of.
      kill(listener, 'SIGSTOP')
      await killAll(sessions())
    }
    await endWatched(current, 'SIGKILL')
    await killAll(sessions())
  }
  const clientKey = (name: string) => ({ path: join(folder, name), publicPath: join(folder, `${name}.pub`) })
  return {
    host: HOST,
    port,
    user: openssh.nssWrapper === undefined ? userInfo().username : files.TEST_USER,
    folder,
    home: join(folder, 'home'),
    get hostKey() {
      return hostKeys[0] ?? { publicLine: '', fingerprint: '' }
    },
    get hostKeys() {
      return hostKeys
    },
    clientKey: clientKey('client'),
    clientKeyEncrypted: { ...clientKey('client-encrypted'), passphrase: PASSPHRASE },
    password: openssh.nssWrapper === undefined ? undefined : files.TEST_PASSWORD,
    get config() {
      return configLines(place)
    },
    log: () => past + current.log(),
    waitForLog: (pattern, options = {}) =>
      current.waitFor(pattern, { ...options, after: Math.max(0, (options.after ?? 0) - past.length) }),
    sessions,
    killSessions: () => killAll(sessions()),
    stop: async () => {
      await end()
      await rm(folder, { recursive: true, force: true })
    },
    restart: async (change = {}) => {
      await end()
      past += current.log()
      if (change.config) place.options = { ...place.options, config: change.config }
      if (change.newHostKey) await makeHostKeys(settings(place))
      hostKeys = await readHostKeys(settings(place))
      current = await listen(place)
    },
    knownHostsLine: (hashed) =>
      hostKeys.map((key) => files.knownHostsLine({ host: HOST, port }, key, hashed)).join('\n'),
  }
}
