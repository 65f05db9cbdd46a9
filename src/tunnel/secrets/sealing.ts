// Encryption of single secrets under a passphrase: AES-256-GCM by a key that scrypt derives. Pure: nothing is kept here.
import { createCipheriv, createDecipheriv, randomBytes, scrypt } from 'node:crypto'

/** One encrypted secret; all in base64. */
export interface Sealed {
  iv: string
  text: string
  tag: string
}

export interface ScryptCost {
  N: number
  r: number
  p: number
}

/** Takes 0.25 s and 128 MB, so that each guess does. */
export const COST: ScryptCost = { N: 2 ** 17, r: 8, p: 1 }

const KEY_BYTES = 32
const IV_BYTES = 12
const SALT_BYTES = 16

export function newSalt(): Buffer {
  return randomBytes(SALT_BYTES)
}

/** Derives a key in a thread of Node's own. */
export function deriveKey(passphrase: string, salt: Buffer, cost: ScryptCost): Promise<Buffer> {
  // What scrypt needs, and a little for itself: Node's own limit is 32 MB.
  const maxmem = 128 * cost.N * cost.r + 2 ** 20
  return new Promise((resolve, reject) => {
    scrypt(passphrase.normalize('NFC'), salt, KEY_BYTES, { ...cost, maxmem }, (error, key) =>
      error ? reject(error) : resolve(key),
    )
  })
}

/** Encrypts with a fresh vector; the name is bound to it, so that entries cannot change places. */
export function seal(key: Buffer, name: string, secret: string): Sealed {
  const iv = randomBytes(IV_BYTES)
  const cipher = createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(name))
  const text = Buffer.concat([cipher.update(secret, 'utf8'), cipher.final()])
  const [ivText, sealedText, tag] = [iv, text, cipher.getAuthTag()].map((part) => part.toString('base64'))
  return { iv: ivText ?? '', text: sealedText ?? '', tag: tag ?? '' }
}

/** `undefined` when the key is another one or anything was changed. */
export function unseal(key: Buffer, name: string, sealed: Sealed): string | undefined {
  try {
    const options = { authTagLength: 16 }
    const decipher = createDecipheriv('aes-256-gcm', key, Buffer.from(sealed.iv, 'base64'), options)
    decipher.setAAD(Buffer.from(name)).setAuthTag(Buffer.from(sealed.tag, 'base64'))
    const text = decipher.update(Buffer.from(sealed.text, 'base64'))
    return Buffer.concat([text, decipher.final()]).toString('utf8')
  } catch {
    return undefined
  }
}
