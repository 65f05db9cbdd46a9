// A certificate authority for a test's sshd, and what it signs. It lives in the folder of the sshd and goes with it.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { runOrThrow } from '../../scripts/provision/command.ts'
import type { Openssh } from '../../scripts/provision/openssh.ts'
import { parsePublicKey } from './sshd-files.ts'

export type Authority = {
  publicPath: string
  /** `TYPE BASE64` */
  publicLine: string
  /** Makes a key whose certificate lets this user in; answers the path of the key, beside which the certificate lies. */
  makeUserKey(name: string, user: string): Promise<string>
  /** Signs an existing host key for a host's name; answers the path of the certificate. */
  signHostKey(path: string, host: string): Promise<string>
}

/** @throws Error when ssh-keygen fails. */
export async function makeAuthority(openssh: Openssh, folder: string): Promise<Authority> {
  const path = join(folder, 'authority')
  await makeKey(openssh, path)
  return {
    publicPath: `${path}.pub`,
    publicLine: parsePublicKey(await readFile(`${path}.pub`, 'utf8')).publicLine,
    makeUserKey: async (name, user) => {
      const key = join(folder, name)
      await makeKey(openssh, key)
      await runOrThrow(openssh.keygen, ['-q', '-s', path, '-I', 'test', '-n', user, `${key}.pub`])
      return key
    },
    signHostKey: async (key, host) => {
      await runOrThrow(openssh.keygen, ['-q', '-s', path, '-h', '-I', 'test', '-n', host, `${key}.pub`])
      return `${key}-cert.pub`
    },
  }
}

async function makeKey(openssh: Openssh, path: string): Promise<void> {
  await runOrThrow(openssh.keygen, ['-q', '-t', 'ed25519', '-N', '', '-C', 'test', '-f', path])
}
