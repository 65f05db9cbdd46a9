// Looks at what is there that only the ssh program can use. What follows from it is in transport-choice.ts.

import { silentLog } from '../core/log.ts'
import { namesOf, readKnownHosts } from './host-keys/host-key.ts'
import { type KnownHost, keyType, matchesHost } from './host-keys/known-hosts.ts'
import { publicHalf, publicKeyOf } from './login/key-files.ts'
import type { SshParameters } from './ssh-config/ssh-parameters.ts'
import type { LocalUser } from './ssh-config/tokens.ts'
import type { SshFiles } from './ssh-files.ts'
import type { Evidence } from './transport-choice.ts'

export interface EvidenceDependencies {
  files: Pick<SshFiles, 'read'>
  local: Pick<LocalUser, 'env' | 'uid'>
  /** Whether the user's ssh holds a connection that can be shared. */
  hasMaster: () => Promise<boolean>
}

/** A file that cannot be read is no evidence. */
export async function gatherEvidence(parameters: SshParameters, dependencies: EvidenceDependencies): Promise<Evidence> {
  const [hasMaster, certificate, firstKey, authority, ticket] = await Promise.all([
    dependencies.hasMaster(),
    findCertificate(parameters, dependencies.files),
    findFirstKey(parameters, dependencies.files),
    findAuthority(parameters, dependencies.files),
    findTicket(parameters, dependencies),
  ])
  return {
    master: hasMaster ? parameters.controlPath : undefined,
    certificate,
    tokenKey: firstKey?.type.startsWith('sk-') ? firstKey.path : undefined,
    authority,
    ticket: firstKey === undefined && parameters.identityAgent === undefined ? ticket : undefined,
  }
}

async function findCertificate(
  { certificateFiles, identityFiles, usesKeyFiles }: SshParameters,
  files: EvidenceDependencies['files'],
): Promise<string | undefined> {
  if (!usesKeyFiles) return undefined
  const beside = identityFiles.map((path) => `${path.replace(/\.pub$/, '')}-cert.pub`)
  const texts = await readAll([...certificateFiles, ...beside], files)
  return texts.find(({ text }) => /^\S+-cert-v\d\d@openssh\.com /.test(text))?.path
}

/** The first of the keys that are there. */
async function findFirstKey(
  { identityFiles, usesKeyFiles }: SshParameters,
  files: EvidenceDependencies['files'],
): Promise<{ path: string; type: string } | undefined> {
  if (!usesKeyFiles) return undefined
  const keys = await readAll(identityFiles, files)
  const publics = await readAll(
    identityFiles.map((path) => `${path}.pub`),
    files,
  )
  const [first] = keys
  if (first === undefined) return undefined
  const beside = publics.find(({ path }) => path === `${first.path}.pub`)?.text ?? ''
  const key = publicHalf(first.text) ?? publicKeyOf(beside) ?? publicKeyOf(first.text)
  return { path: first.path, type: key ? keyType(key) : '' }
}

async function findAuthority(
  parameters: SshParameters,
  files: EvidenceDependencies['files'],
): Promise<string | undefined> {
  // Whoever connects tells of files that cannot be read.
  const known = await readKnownHosts(parameters, files, silentLog, () => {})
  const about = known.filter(({ hosts }) => namesOf(parameters).some((name) => matchesHost(hosts, name)))
  const isPlain = ({ marker }: KnownHost) => marker === undefined
  const authority = about.find(({ marker }) => marker === 'cert-authority')
  return authority && !about.some(isPlain) ? `${authority.file}:${authority.line}` : undefined
}

/** Where a ticket lies by default; one that the system keeps elsewhere is not seen. */
async function findTicket(
  { gssapi }: SshParameters,
  { files, local }: EvidenceDependencies,
): Promise<string | undefined> {
  if (!gssapi) return undefined
  const path = (local.env.KRB5CCNAME ?? `/tmp/krb5cc_${local.uid}`).replace(/^FILE:/, '')
  if (!path.startsWith('/')) return path
  const [found] = await readAll([path], files)
  return found?.path
}

/** Those that are there, in their order. */
async function readAll(
  paths: readonly string[],
  files: EvidenceDependencies['files'],
): Promise<{ path: string; text: string }[]> {
  const read = async (path: string) => ({ path, text: await files.read(path).catch(() => undefined) })
  const all = await Promise.all(paths.map(read))
  return all.flatMap(({ path, text }) => (text === undefined ? [] : [{ path, text }]))
}
