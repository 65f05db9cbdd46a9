// The keys that may be offered, by files and by the agent, and those among them that ssh2 cannot use. Nothing is offered here.
import { userInfo } from 'node:os'
import { fingerprint, keyType } from '../host-keys/known-hosts.ts'
import type { AgentIdentity } from './agent-identities.ts'
import type { AuthRun, SigningKey } from './auth-run.ts'
import { cipherOf, type KeyFile, publicHalf, publicKeyOf, readKeyFile } from './key-files.ts'

/** A key that ssh_config or the plugin's configuration names by a file. */
export interface Identity {
  path: string
  /** The path as a person reads it. */
  label: string
  text: string
  file: KeyFile
  publicKey: Buffer | undefined
}

export interface AgentKey extends SigningKey {
  /** The key as a person reads it, as `agent key SHA256:…`. */
  label: string
}

const DEFAULT_IDENTITY = /\/\.ssh\/id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/

/** Why ssh2 cannot use a key of this kind; `undefined` when it can. */
function whyOfKind(publicKey: Buffer | undefined): string | undefined {
  const type = publicKey ? keyType(publicKey) : ''
  if (/-cert-v\d\d@/.test(type)) return 'a certificate'
  return type.startsWith('sk-') ? 'a key of a security token (FIDO)' : undefined
}

/** Why ssh2 cannot open a private key; `undefined` when it can. */
function whySealed(text: string): string | undefined {
  return cipherOf(text)?.startsWith('chacha20') ? 'encrypted with chacha20-poly1305' : undefined
}

/** The identities that there are, in the order of offering; what is amiss with the others goes into the report. */
export async function loadIdentities(run: AuthRun): Promise<Identity[]> {
  const { identityFiles, certificateFiles, usesKeyFiles } = run.dependencies.parameters
  const loaded = await Promise.all(identityFiles.map((path) => loadIdentity(run, path)))
  const identities = loaded.filter((identity) => identity !== undefined)
  if (!usesKeyFiles) return identities
  for (const { label, text, publicKey } of identities) {
    markUnsupported(run, label, whySealed(text) ?? whyOfKind(publicKey))
  }
  const beside = identityFiles.map((path) => ({ path: `${path.replace(/\.pub$/, '')}-cert.pub`, isNamed: false }))
  const named = certificateFiles.map((path) => ({ path, isNamed: true }))
  await Promise.all([...named, ...beside].map((certificate) => noteCertificate(run, certificate)))
  return identities
}

/** The agent's keys that ssh2 can use. An agent that cannot be asked is told, and counts as empty. */
export async function loadAgentKeys(run: AuthRun, identities: readonly Identity[]): Promise<AgentKey[]> {
  const { parameters, listAgentKeys, listAgentIdentities, log, signal } = run.dependencies
  if (parameters.identityAgent === undefined) return []
  try {
    // In this order: the first can be given up when the agent does not answer, ssh2's cannot.
    const all = await listAgentIdentities(parameters.identityAgent, signal)
    const keys = await listAgentKeys(parameters.identityAgent)
    for (const identity of all) noteAgentIdentity(run, identity, identities)
    return keys.map((key) => ({ ...key, label: `agent key ${fingerprint(key.publicKey)}` }))
  } catch (error) {
    log.warn('the ssh agent cannot be used', { socket: parameters.identityAgent, error })
    run.report.set('agent', 'cannot be reached')
    return []
  }
}

/** With IdentitiesOnly a key of the agent's counts only when a file names it. */
function noteAgentIdentity(run: AuthRun, { publicKey, comment }: AgentIdentity, identities: readonly Identity[]): void {
  const isNamed = identities.some((identity) => identity.publicKey?.equals(publicKey))
  if (run.dependencies.parameters.identitiesOnly && !isNamed) return
  markUnsupported(
    run,
    `agent key ${fingerprint(publicKey)}${comment === '' ? '' : ` (${comment})`}`,
    whyOfKind(publicKey),
  )
}

async function noteCertificate(run: AuthRun, { path, isNamed }: { path: string; isNamed: boolean }): Promise<void> {
  const text = await run.dependencies.files.read(path).catch(() => undefined)
  const certificate = publicKeyOf(text ?? '')
  if (certificate) markUnsupported(run, shorten(path), whyOfKind(certificate))
  else if (isNamed) run.report.set(shorten(path), text === undefined ? 'no such file' : 'not a certificate')
}

function markUnsupported(run: AuthRun, label: string, reason: string | undefined): void {
  if (reason === undefined) return
  run.unsupportedKeys.set(label, reason)
  run.report.set(label, `${reason}, which only the ssh program can use`)
}

/** OpenSSH lists its default keys whether they are there or not, so only a key that somebody named is missed. */
async function loadIdentity(run: AuthRun, path: string): Promise<Identity | undefined> {
  const { files, parseKey } = run.dependencies
  const label = shorten(path)
  try {
    const text = await files.read(path)
    const beside = publicKeyOf((await files.read(`${path}.pub`).catch(() => undefined)) ?? '')
    if (text !== undefined) {
      const file = readKeyFile(text, parseKey)
      const publicKey = publicHalfOf(file) ?? beside ?? publicHalf(text) ?? publicKeyOf(text)
      return { path, label, text, file, publicKey }
    }
    if (beside) return { path, label, text: '', file: { kind: 'public', publicKey: beside }, publicKey: beside }
    if (!DEFAULT_IDENTITY.test(path)) run.report.set(label, 'no such file')
    return undefined
  } catch (error) {
    const reason = `it cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`
    return { path, label, text: '', file: { kind: 'unusable', reason }, publicKey: undefined }
  }
}

function publicHalfOf(file: KeyFile): Buffer | undefined {
  if (file.kind === 'private') return file.key.getPublicSSH()
  return file.kind === 'unusable' ? undefined : file.publicKey
}

function shorten(path: string): string {
  const { homedir } = userInfo()
  return path.startsWith(`${homedir}/`) ? `~${path.slice(homedir.length)}` : path
}
