// Asking for the passphrase of a key file: the kept one first, then three tries, as with OpenSSH.
import type { AuthRun } from './auth-run.ts'
import type { Identity } from './identities.ts'
import type { PrivateKey } from './key-files.ts'

const PASSPHRASE_TRIES = 3

/**
 * The opened key; `undefined` when the user gave up or the key cannot be opened, which then stands in the report.
 * Several servers may want the same key at once: its passphrase is asked for once.
 */
export function unlockByAsking(run: AuthRun, identity: Identity): Promise<PrivateKey | undefined> {
  const { secrets } = run.dependencies
  const secretName = `passphrase of ${identity.path}`
  const work = () => askAndUnlock(run, identity, secretName)
  return secrets.inTurn ? secrets.inTurn(secretName, work) : work()
}

async function askAndUnlock(run: AuthRun, identity: Identity, secretName: string): Promise<PrivateKey | undefined> {
  const { secrets, unlock } = run.dependencies
  const kept = await secrets.get(secretName)
  const reopened = kept === undefined ? undefined : await unlock(identity.text, kept)
  if (reopened?.kind === 'private') return reopened.key
  if (kept !== undefined) secrets.delete(secretName)
  for (let left = PASSPHRASE_TRIES; left > 0; left--) {
    const passphrase = await run.ask(`Passphrase of ${identity.label}`, passphraseDetail(run, left))
    if (passphrase === undefined) {
      run.report.set(identity.label, 'passphrase cancelled')
      return undefined
    }
    const unlocked = await unlock(identity.text, passphrase)
    if (unlocked.kind === 'private') {
      secrets.set(secretName, passphrase)
      return unlocked.key
    }
    const isWrong = unlocked.kind === 'wrong'
    run.report.set(identity.label, isWrong ? 'wrong passphrase' : `unusable, ${unlocked.reason}`)
    if (!isWrong) return undefined
  }
  run.lockedKey = identity.label
  return undefined
}

function passphraseDetail(run: AuthRun, left: number): string {
  if (left === PASSPHRASE_TRIES) return `To log in as ${run.account}`
  return `Wrong passphrase; ${left} ${left === 1 ? 'try' : 'tries'} left`
}
