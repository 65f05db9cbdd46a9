// Finds a real OpenSSH for tests: the system's, or an unpacked one. Starting it is in test/support/sshd.ts.
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { systemDistribution } from './apt.ts'
import { findProgram, run } from './command.ts'
import { type Missing, type Unpacked, unpack } from './debian.ts'

/** Absolute paths of programs, and what sshd needs in order to run beside the system instead of as a part of it. */
export type Openssh = {
  kind: 'found'
  /** As in `10.0`. */
  version: string
  sshd: string
  ssh: string
  keygen: string
  agent: string
  add: string
  /** Lines of sshd_config that this sshd needs; a line of the caller's own has to come before them to win. */
  options: readonly string[]
  /** Folder that a root sshd confines its unprivileged part to; it must exist. Undefined when not known. */
  privilegeFolder: string | undefined
  /** libnss_wrapper: preloaded into sshd it makes up the users, by NSS_WRAPPER_PASSWD, _GROUP and _SHADOW. */
  nssWrapper: string | undefined
}

type Client = Pick<Openssh, 'ssh' | 'keygen' | 'agent' | 'add'>
type Server = Pick<Openssh, 'sshd' | 'nssWrapper'> & { options: string[] }

/** Not the system's own suite: one fixed version gives every Debian the same tests, and it is new enough for split sshd. */
const SUITE = 'trixie'
const SYSTEM_FOLDERS = ['/usr/sbin', '/usr/local/sbin', '/sbin', '/usr/bin']
const SERVER_PROGRAMS = ['usr/sbin/sshd', 'usr/lib/openssh/sshd-session', 'usr/lib/openssh/sshd-auth']
const CLIENT_PROGRAMS = ['usr/bin/ssh', 'usr/bin/ssh-keygen', 'usr/bin/ssh-agent', 'usr/bin/ssh-add']
const LIBRARIES =
  /^(libc6|libgcc-s1|libcrypt1|libpam0g|libaudit1|libcap-ng0|libselinux1|libpcre2-8-0|libgssapi-krb5-2|libkrb5-3|libk5crypto3|libkrb5support0|libcom-err2|libkeyutils1|libssl3\w*|zlib1g|libzstd1|libwrap0|libwtmpdb0|libsqlite3-0|libedit2|libtinfo6|libbsd0|libmd0|libfido2-1|libcbor[\d.]+|libudev1|libcap2|libnss-wrapper)$/
const DEFAULT_PRIVILEGE_FOLDER = '/run/sshd'

/**
 * A folder that every Debian has, owned by root, and of the same length as /run/sshd. The linker let the name of the
 * user `sshd` share the end of that text, hence the unpacked sshd wants a user named `skel`; sshd.ts makes both up.
 */
const UNPACKED_PRIVILEGE_FOLDER = '/etc/skel'

/** Prefers the system's programs; unpacks from Debian what is absent. */
export async function findOpenssh(): Promise<Openssh | Missing> {
  const server = await findServer()
  if ('kind' in server) return server
  const client = await findClient()
  if ('kind' in client) return client
  const version = await sshdVersion(server.sshd)
  if (version === undefined) return { kind: 'missing', reason: `${server.sshd} does not tell its version` }
  // Since 9.8 an address is shut out after some failed logins, and all tests come from one address.
  const lenient = isAtLeast(version, 9, 8) ? ['PerSourcePenalties no'] : []
  const privilegeFolder = await findPrivilegeFolder(server.sshd)
  return { kind: 'found', version, ...server, ...client, options: [...server.options, ...lenient], privilegeFolder }
}

/** Compares `10.0` with a major and a minor number. */
export function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number)
  return ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** Replaces a C string by another of the same length. Answers undefined when the file holds none. */
export function replaceText(file: Buffer, from: string, to: string): Buffer | undefined {
  if (from.length !== to.length) throw new Error('texts in a program can be replaced by ones of the same length only')
  const pattern = Buffer.from(`${from}\0`, 'latin1')
  if (!file.includes(pattern)) return undefined
  const changed = Buffer.from(file)
  for (let at = changed.indexOf(pattern); at >= 0; at = changed.indexOf(pattern)) changed.write(to, at, 'latin1')
  return changed
}

async function findServer(): Promise<Server | Missing> {
  const sshd = await findProgram('sshd', SYSTEM_FOLDERS)
  if (sshd !== undefined) return { sshd, options: [], nssWrapper: await findNssWrapper() }
  const distribution = await systemDistribution().catch(() => undefined)
  if (distribution?.id !== 'debian') {
    return { kind: 'missing', reason: 'sshd can be unpacked on Debian only; install the OpenSSH server' }
  }
  const unpacked = await unpackServer()
  if (unpacked.kind === 'missing') return { ...unpacked, reason: `${unpacked.reason}; or install openssh-server` }
  const libexec = join(unpacked.folder, 'usr/lib/openssh')
  return {
    sshd: join(unpacked.folder, 'usr/sbin/sshd'),
    nssWrapper: join(unpacked.libraries, 'libnss_wrapper.so'),
    options: [`SshdSessionPath ${join(libexec, 'sshd-session')}`, `SshdAuthPath ${join(libexec, 'sshd-auth')}`],
  }
}

function unpackServer(): Promise<Unpacked | Missing> {
  const roots = ['openssh-server', 'libnss-wrapper']
  return unpack({
    suite: SUITE,
    name: 'openssh-server',
    label: 'an OpenSSH server',
    roots,
    wanted: (name) => roots.includes(name) || LIBRARIES.test(name),
    programs: SERVER_PROGRAMS,
    afterwards: async (folder) => {
      for (const program of SERVER_PROGRAMS) {
        const path = join(folder, program)
        const changed = replaceText(await readFile(path), DEFAULT_PRIVILEGE_FOLDER, UNPACKED_PRIVILEGE_FOLDER)
        if (changed) await writeFile(path, changed)
      }
    },
  })
}

async function findClient(): Promise<Client | Missing> {
  const names = ['ssh', 'ssh-keygen', 'ssh-agent', 'ssh-add']
  const [ssh, keygen, agent, add] = await Promise.all(names.map((name) => findProgram(name, SYSTEM_FOLDERS)))
  if (ssh && keygen && agent && add) return { ssh, keygen, agent, add }
  const unpacked = await unpack({
    suite: SUITE,
    name: 'openssh-client',
    label: 'an OpenSSH client',
    roots: ['openssh-client'],
    wanted: (name) => name === 'openssh-client' || LIBRARIES.test(name),
    programs: CLIENT_PROGRAMS,
  })
  if (unpacked.kind === 'missing') return { ...unpacked, reason: `${unpacked.reason}; or install openssh-client` }
  const program = (name: string) => join(unpacked.folder, 'usr/bin', name)
  return { ssh: program('ssh'), keygen: program('ssh-keygen'), agent: program('ssh-agent'), add: program('ssh-add') }
}

// A library preloaded into the system's sshd has to be of the system's own suite.
async function findNssWrapper(): Promise<string | undefined> {
  const listed = await run('/sbin/ldconfig', ['-p'])
  const installed = /libnss_wrapper\.so\b.*=> (\S+)/.exec(listed.stdout)?.[1]
  if (installed !== undefined) return installed
  const distribution = await systemDistribution().catch(() => undefined)
  if (!distribution?.codename) return undefined
  const unpacked = await unpack({
    suite: distribution.codename,
    name: 'nss-wrapper',
    label: 'libnss-wrapper',
    roots: ['libnss-wrapper'],
    wanted: (name) => name === 'libnss-wrapper',
    programs: [],
  })
  if (unpacked.kind === 'missing') return undefined
  const path = join(unpacked.libraries, 'libnss_wrapper.so')
  return existsSync(path) ? path : undefined
}

async function findPrivilegeFolder(sshd: string): Promise<string | undefined> {
  const program = await readFile(sshd)
  return [UNPACKED_PRIVILEGE_FOLDER, DEFAULT_PRIVILEGE_FOLDER].find((folder) => program.includes(`${folder}\0`))
}

// Before 9.3 there is no -V, but the complaint about it names the version too.
async function sshdVersion(sshd: string): Promise<string | undefined> {
  const { stdout, stderr } = await run(sshd, ['-V'])
  return /OpenSSH_(\d+\.\d+)/.exec(stdout + stderr)?.[1]
}
