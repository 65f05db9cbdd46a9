// Logging in by key, in OpenSSH's order: keys of the agent that the configuration names, other keys of the agent, files.
// A key that the plugin's own configuration names goes before the agent's other keys.
import { userInfo } from 'node:os'
import type { AuthRun, AuthSteps, SigningKey } from './auth-run.ts'
import { type KeyFile, type PrivateKey, publicKeyOf, readKeyFile, unlock } from './key-files.ts'

interface Identity {
  path: string
  /** The path as a person reads it. */
  label: string
  text: string
  file: KeyFile
  publicKey: Buffer | undefined
}

/** Tries for a passphrase, as with OpenSSH. */
const PASSPHRASE_TRIES = 3

const DEFAULT_IDENTITY = /\/\.ssh\/id_(rsa|dsa|ecdsa|ecdsa_sk|ed25519|ed25519_sk|xmss)$/

export async function* keySteps(run: AuthRun): AuthSteps {
  const { parameters } = run.dependencies
  if (!run.mayUse('publickey')) return
  const identities = await loadIdentities(run)
  const agentKeys = await listAgentKeys(run)
  const inAgent = (identity: Identity) => agentKeys.filter((key) => identity.publicKey?.equals(key.publicKey))
  const named = identities.flatMap(inAgent)
  const others = parameters.identitiesOnly ? [] : agentKeys.filter((key) => !named.includes(key))
  const files = identities.filter((identity) => inAgent(identity).length === 0)
  const isExplicit = (identity: Identity) => identity.path === parameters.explicitIdentity
  yield* offerAgentKeys(run, named)
  yield* offerFiles(run, files.filter(isExplicit))
  yield* offerAgentKeys(run, others)
  yield* offerFiles(
    run,
    files.filter((identity) => !isExplicit(identity)),
  )
}

async function listAgentKeys(run: AuthRun): Promise<SigningKey[]> {
  const { parameters, listAgentKeys, log } = run.dependencies
  if (parameters.identityAgent === undefined) return []
  try {
    return await listAgentKeys(parameters.identityAgent)
  } catch (error) {
    log.warn('the ssh agent cannot be used', { socket: parameters.identityAgent, error })
    run.report.set('agent', 'cannot be reached')
    return []
  }
}

async function* offerAgentKeys(run: AuthRun, keys: readonly SigningKey[]): AuthSteps {
  if (keys.length === 0 || !run.mayUse('publickey')) return
  let signed = 0
  let failed = 0
  const counted = keys.map((key) => ({
    publicKey: key.publicKey,
    sign: (data: Buffer, hash: string | undefined) =>
      key.sign(data, hash).then(
        (signature) => {
          signed++
          return signature
        },
        (error) => {
          failed++
          throw error
        },
      ),
  }))
  run.hasTried = true
  yield { type: 'signer', keys: counted }
  const refused = keys.length - signed - failed
  const parts = [
    refused > 0 ? `${refused} ${refused === 1 ? 'key' : 'keys'} refused` : '',
    failed > 0 ? `the agent did not sign with ${failed}` : '',
    signed > 0 ? 'a key accepted, but the server wants more' : '',
  ].filter((part) => part !== '')
  const before = run.report.get('agent')
  run.report.set('agent', [...(before === undefined ? [] : [before]), ...parts].join(', '))
}

async function* offerFiles(run: AuthRun, identities: readonly Identity[]): AuthSteps {
  for (const identity of identities) {
    if (!run.mayUse('publickey')) return
    switch (identity.file.kind) {
      case 'private':
        yield* offerKey(run, identity, identity.file.key)
        break
      case 'encrypted':
        yield* offerEncrypted(run, identity)
        break
      case 'public':
        run.report.set(identity.label, 'its private key is neither in a file nor in the agent')
        break
      case 'unusable':
        run.hasUnusableKey = true
        run.report.set(identity.label, `unusable, ${identity.file.reason}`)
        break
    }
  }
}

async function* offerKey(run: AuthRun, identity: Identity, key: PrivateKey): AuthSteps {
  run.hasTried = true
  yield { type: 'publickey', key }
  run.report.set(identity.label, run.isPartial ? 'accepted, but the server wants more' : 'refused')
}

/** Where the public half is known the server is asked first, and the user only for a key that it would take. */
async function* offerEncrypted(run: AuthRun, identity: Identity): AuthSteps {
  if (identity.publicKey === undefined) {
    const key = await unlockByAsking(run, identity)
    if (key) yield* offerKey(run, identity, key)
    return
  }
  run.hasTried = true
  run.report.set(identity.label, 'refused')
  const sign = async (data: Buffer, hash: string | undefined) => {
    const key = await unlockByAsking(run, identity)
    if (!key) throw new Error(`${identity.path} was not unlocked`)
    const signature = key.sign(data, hash)
    if (signature instanceof Error) throw signature
    run.report.set(identity.label, 'accepted, but the server wants more')
    return signature
  }
  yield { type: 'signer', keys: [{ publicKey: identity.publicKey, sign }] }
}

async function unlockByAsking(run: AuthRun, identity: Identity): Promise<PrivateKey | undefined> {
  const { secrets, parseKey } = run.dependencies
  const secretName = `passphrase of ${identity.path}`
  const kept = await secrets.get(secretName)
  const reopened = kept === undefined ? undefined : unlock(identity.text, kept, parseKey)
  if (reopened?.kind === 'private') return reopened.key
  secrets.delete(secretName)
  for (let left = PASSPHRASE_TRIES; left > 0; left--) {
    const passphrase = await run.ask(`Passphrase of ${identity.label}`, passphraseDetail(run, left))
    if (passphrase === undefined) {
      run.report.set(identity.label, 'passphrase cancelled')
      return undefined
    }
    const unlocked = unlock(identity.text, passphrase, parseKey)
    if (unlocked.kind === 'private') {
      secrets.set(secretName, passphrase)
      return unlocked.key
    }
    const isWrong = unlocked.kind === 'wrong'
    run.report.set(identity.label, isWrong ? 'wrong passphrase' : `unusable, ${unlocked.reason}`)
    if (!isWrong) return undefined
  }
  return undefined
}

function passphraseDetail(run: AuthRun, left: number): string {
  if (left === PASSPHRASE_TRIES) return `To log in as ${run.account}`
  return `Wrong passphrase; ${left} ${left === 1 ? 'try' : 'tries'} left`
}

async function loadIdentities(run: AuthRun): Promise<Identity[]> {
  const loaded = await Promise.all(run.dependencies.parameters.identityFiles.map((path) => loadIdentity(run, path)))
  return loaded.filter((identity) => identity !== undefined)
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
      return { path, label, text, file, publicKey: publicHalfOf(file) ?? beside }
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
