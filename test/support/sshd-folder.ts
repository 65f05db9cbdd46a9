// Makes the folder that a private sshd lives in, keys and users included. The texts themselves are in sshd-files.ts.
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { runOrThrow } from '../../scripts/provision/command.ts'
import type { Openssh } from '../../scripts/provision/openssh.ts'
import { type HostKey, parsePublicKey, userDatabases } from './sshd-files.ts'

export type HostKeyType = 'ed25519' | 'rsa' | 'ecdsa'

/** `keyOptions` stand before each authorized key, such as `restrict,port-forwarding`. */
export type FolderSettings = {
  openssh: Openssh
  folder: string
  hostKeyTypes: readonly HostKeyType[]
  keyOptions: string | undefined
}

/** Of the key in the file `client-encrypted`. */
export const PASSPHRASE = 'open sesame'

/** Fills the folder: user databases, keys, authorized_keys and the user's empty home. */
export async function prepareFolder(settings: FolderSettings): Promise<void> {
  const { openssh, folder } = settings
  const home = join(folder, 'home')
  await mkdir(home)
  const { uid, gid } = userInfo()
  for (const [name, text] of Object.entries(userDatabases({ uid, gid, home }))) {
    await writeFile(join(folder, name), text, { mode: name === 'shadow' ? 0o600 : 0o644 })
  }
  await Promise.all([
    makeHostKeys(settings),
    makeKey(openssh, join(folder, 'client'), 'ed25519'),
    makeKey(openssh, join(folder, 'client-encrypted'), 'ed25519', PASSPHRASE),
  ])
  const keys = await Promise.all(
    ['client', 'client-encrypted'].map((name) => readFile(join(folder, `${name}.pub`), 'utf8')),
  )
  const prefix = settings.keyOptions === undefined ? '' : `${settings.keyOptions} `
  await writeFile(join(folder, 'authorized_keys'), keys.map((key) => prefix + key).join(''), { mode: 0o600 })
  // The one thing outside our folder: a root sshd of the system insists on it, and services make it at their start too.
  const privilegeFolder = openssh.privilegeFolder ?? ''
  if (uid === 0 && privilegeFolder.startsWith('/run/')) await mkdir(privilegeFolder, { recursive: true, mode: 0o755 })
}

/** Makes new host keys in place of those that are there. */
export async function makeHostKeys({ openssh, folder, hostKeyTypes }: FolderSettings): Promise<void> {
  await Promise.all(hostKeyTypes.map((type) => makeKey(openssh, join(folder, `host-${type}`), type)))
}

/** In the order of `hostKeyTypes`. */
export async function readHostKeys({ folder, hostKeyTypes }: FolderSettings): Promise<HostKey[]> {
  const texts = await Promise.all(hostKeyTypes.map((type) => readFile(join(folder, `host-${type}.pub`), 'utf8')))
  return texts.map(parsePublicKey)
}

async function makeKey(openssh: Openssh, path: string, type: HostKeyType, passphrase = ''): Promise<void> {
  await Promise.all([rm(path, { force: true }), rm(`${path}.pub`, { force: true })])
  const size = type === 'rsa' ? ['-b', '2048'] : []
  await runOrThrow(openssh.keygen, ['-q', '-t', type, ...size, '-a', '2', '-N', passphrase, '-C', 'test', '-f', path])
}
