// Logging in by key, in OpenSSH's order: keys of the agent that the configuration names, other keys of the agent, files.
// A key that the plugin's own configuration names goes before the agent's other keys.

import type { AuthRun, AuthSteps } from './auth-run.ts'
import { type AgentKey, type Identity, loadAgentKeys, loadIdentities } from './identities.ts'
import type { PrivateKey } from './key-files.ts'
import { unlockByAsking } from './passphrase.ts'

export async function* keySteps(run: AuthRun): AuthSteps {
  const { parameters } = run.dependencies
  if (!run.mayUse('publickey')) return
  const identities = await loadIdentities(run)
  const agentKeys = await loadAgentKeys(run, identities)
  const inAgent = (identity: Identity) => agentKeys.filter((key) => identity.publicKey?.equals(key.publicKey))
  const named = identities.flatMap(inAgent)
  const others = parameters.identitiesOnly ? [] : agentKeys.filter((key) => !named.includes(key))
  const files = parameters.usesKeyFiles ? identities.filter((identity) => inAgent(identity).length === 0) : []
  const isExplicit = (identity: Identity) => identity.path === parameters.explicitIdentity
  yield* offerAgentKeys(run, named)
  yield* offerFiles(run, files.filter(isExplicit))
  yield* offerAgentKeys(run, others)
  yield* offerFiles(
    run,
    files.filter((identity) => !isExplicit(identity)),
  )
  yield* leaveToOpenssh(run)
}

/** Before anything else is asked of the user, since the ssh program may come in by a key that is of no use here. */
async function* leaveToOpenssh(run: AuthRun): AuthSteps {
  if (run.unsupportedKeys.size === 0 || run.hasJustProgressed || run.isCancelled) return
  yield* run.learnWhatIsOffered()
  if (!run.mayUse('publickey')) return
  run.lacksKeyOnly = true
  if (run.dependencies.parameters.mayLeaveToOpenssh) run.isGivenUp = true
}

async function* offerAgentKeys(run: AuthRun, keys: readonly AgentKey[]): AuthSteps {
  for (const key of keys) {
    if (!mayOffer(run, key.publicKey)) continue
    const sign = (data: Buffer, hash: string | undefined) =>
      key.sign(data, hash).then(
        (signature) => {
          run.hasSigned = true
          return signature
        },
        (error) => {
          run.report.set(key.label, 'the agent did not sign with it')
          throw error
        },
      )
    run.report.set(key.label, 'refused')
    yield* run.attempt({ type: 'signer', key: { publicKey: key.publicKey, sign } }, key.label)
    if (run.hasJustProgressed) run.acceptInPart(key.label, key.publicKey)
  }
}

function mayOffer(run: AuthRun, publicKey: Buffer): boolean {
  return run.mayUse('publickey') && !run.hasJustProgressed && !run.wasAccepted(publicKey)
}

async function* offerFiles(run: AuthRun, identities: readonly Identity[]): AuthSteps {
  for (const identity of identities) {
    if (run.unsupportedKeys.has(identity.label)) continue
    if (!mayOffer(run, identity.publicKey ?? Buffer.alloc(0))) continue
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
  yield* run.attempt({ type: 'publickey', key }, `key ${identity.label}`)
  if (run.hasJustProgressed) run.acceptInPart(identity.label, key.getPublicSSH())
  else run.report.set(identity.label, 'refused')
}

/** Where the public half is known the server is asked first, and the user only for a key that it would take. */
async function* offerEncrypted(run: AuthRun, identity: Identity): AuthSteps {
  if (identity.publicKey === undefined) {
    const key = await unlockByAsking(run, identity)
    if (key) yield* offerKey(run, identity, key)
    return
  }
  run.report.set(identity.label, 'refused')
  const sign = async (data: Buffer, hash: string | undefined) => {
    const key = await unlockByAsking(run, identity)
    if (!key) throw new Error(`${identity.path} was not unlocked`)
    const signature = key.sign(data, hash)
    if (signature instanceof Error) throw signature
    run.hasSigned = true
    return signature
  }
  yield* run.attempt({ type: 'signer', key: { publicKey: identity.publicKey, sign } }, `key ${identity.label}`)
  if (run.hasJustProgressed) run.acceptInPart(identity.label, identity.publicKey)
}
