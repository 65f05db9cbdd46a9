// Faults between the host key and the first channel: keys, passphrases, passwords, and what the server permits.
import { copyFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import ssh2 from 'ssh2'
import { onTestFinished } from 'vitest'
import type { WorldOptions } from '../../nvim/chat/world.ts'
import { startAgent } from '../../support/ssh-agent.ts'
import type { Fault } from '../fault.ts'
import type { Stage } from '../stage.ts'

const REFUSED = ['SSH_AUTH_FAILED'] as const
const WRONG = 'a wrong guess'
const KEYS_IN_AGENT = 3
/** A key of PuTTY's newest format, of which there is nothing but the head. */
const STRANGE_KEY = 'PuTTY-User-Key-File-3: ssh-ed448\nEncryption: none\nComment: strange\nPublic-Lines: 0\n'

/** Writes a new key that no server knows; gives its path. */
async function strangerKey({ folder }: Stage, name = 'stranger'): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, ssh2.utils.generateKeyPairSync('ed25519').private, { mode: 0o600 })
  return path
}

/** A stranger's key until the mend puts the right one in its place. */
async function useRightKey({ sshd, world, folder }: Stage): Promise<void> {
  await copyFile(sshd.clientKey.path, join(folder, 'stranger'))
  await world.nvim.type('<Esc>')
}

/** The encrypted key, under the stranger's name. */
async function encryptedKey({ sshd, folder }: Stage): Promise<WorldOptions> {
  await copyFile(sshd.clientKeyEncrypted.path, join(folder, 'stranger'))
  return { ssh: { identity_file: join(folder, 'stranger') } }
}

async function answerEach({ world }: Stage, question: RegExp, times: number): Promise<void> {
  for (let time = 0; time < times; time++) {
    await world.nvim.waitForScreen(question)
    await world.nvim.type(WRONG)
    await world.nvim.waitForScreen(new RegExp(`: \\*{${WRONG.length}}`))
    await world.nvim.type('<CR>')
    await world.nvim.waitForScreen((screen) => !/: \*+$/m.test(screen))
  }
}

export const loginFaults: readonly Fault[] = [
  {
    name: 'key that the server does not know',
    how: 'a new key, and no other method',
    moment: 'first prompt',
    codes: REFUSED,
    within: 3,
    world: async (stage) => ({ ssh: { identity_file: await strangerKey(stage) } }),
    strike: () => {},
    mend: useRightKey,
  },
  {
    name: 'key of a type that cannot be used',
    how: "a file of PuTTY's newest format",
    moment: 'first prompt',
    codes: ['SSH_KEY_UNSUPPORTED', 'SSH_AUTH_FAILED'],
    within: 3,
    world: async ({ folder }) => {
      await writeFile(join(folder, 'stranger'), STRANGE_KEY, { mode: 0o600 })
      return { ssh: { identity_file: join(folder, 'stranger') } }
    },
    strike: () => {},
    mend: useRightKey,
  },
  {
    name: 'too many keys',
    how: `an agent with ${KEYS_IN_AGENT} keys that are not known, at a server with \`MaxAuthTries 2\``,
    moment: 'first prompt',
    codes: REFUSED,
    within: 3,
    sshd: ['MaxAuthTries 2'],
    world: async (stage) => {
      const names = Array.from({ length: KEYS_IN_AGENT }, (_, index) => `agent-${index}`)
      const keys = await Promise.all(names.map((name) => strangerKey(stage, name)))
      const agent = await startAgent(
        keys.map((path) => ({ path })),
        stage.parts.openssh,
      )
      onTestFinished(() => agent.stop())
      return { env: { SSH_AUTH_SOCK: agent.socket }, ssh: { identity_file: await strangerKey(stage) } }
    },
    strike: () => {},
    mend: async (stage) => {
      await useRightKey(stage)
      await stage.sshd.restart({ config: ['MaxAuthTries 20'] })
    },
  },
  {
    name: 'wrong passphrase, three times',
    how: 'an encrypted key',
    moment: 'first prompt',
    codes: ['SSH_PASSPHRASE_WRONG', 'SSH_AUTH_FAILED', 'SSH_AUTH_CANCELLED'],
    within: 3,
    world: encryptedKey,
    strike: () => {},
    gestures: (stage) => answerEach(stage, /[Pp]assphrase[\s\S]*: *$/m, 3),
    mend: useRightKey,
  },
  {
    name: 'passphrase that is not given',
    how: 'an encrypted key, and the question is answered by <Esc>',
    moment: 'first prompt',
    codes: ['SSH_AUTH_CANCELLED', 'SSH_AUTH_FAILED'],
    within: 1,
    world: encryptedKey,
    strike: () => {},
    gestures: async ({ world }) => {
      await world.nvim.waitForScreen(/[Pp]assphrase[\s\S]*: *$/m)
      await world.nvim.type('<Esc>')
    },
    mend: useRightKey,
  },
  {
    name: 'password refused, until there is no try left',
    how: 'a server that wants a password, and three wrong ones',
    moment: 'first prompt',
    codes: REFUSED,
    within: 15,
    needs: 'a password',
    sshd: ['PasswordAuthentication yes', 'PubkeyAuthentication no'],
    strike: () => {},
    gestures: (stage) => answerEach(stage, /[Pp]assword[\s\S]*: *$/m, 3),
    mend: ({ sshd }) => sshd.restart({ config: [] }),
  },
  {
    name: 'link black-holed in the login',
    how: 'nothing passes any more while the passphrase is typed',
    moment: 'first prompt',
    codes: ['SSH_CONNECTION_TIMEOUT', 'SSH_DISCONNECTED', 'SSH_DROPPED_EARLY'],
    within: 30,
    world: encryptedKey,
    strike: () => {},
    gestures: async ({ world, proxy, sshd }) => {
      await world.nvim.waitForScreen(/[Pp]assphrase[\s\S]*: *$/m)
      proxy.set({ dark: 'both' })
      await world.nvim.type(`${sshd.clientKeyEncrypted.passphrase}<CR>`)
    },
    mend: useRightKey,
  },
  {
    name: 'forwarding denied',
    how: '`AllowTcpForwarding no`',
    moment: 'first prompt',
    codes: ['SSH_FORWARDING_DENIED'],
    // A way round it is offered first.
    words: /\S+ forbids forwarding[^│]*/,
    within: 3,
    sshd: ['AllowTcpForwarding no'],
    strike: () => {},
    mend: async ({ sshd, world }) => {
      await world.nvim.type('<Esc>')
      await sshd.restart({ config: [] })
    },
  },
  {
    name: 'forwarding denied to this port',
    how: '`PermitOpen` names another one',
    moment: 'first prompt',
    codes: ['SSH_FORWARDING_DENIED'],
    // A way round it is offered first.
    words: /\S+ forbids forwarding[^│]*/,
    within: 3,
    sshd: ['PermitOpen 127.0.0.1:1'],
    strike: () => {},
    mend: async ({ sshd, world }) => {
      await world.nvim.type('<Esc>')
      await sshd.restart({ config: [] })
    },
  },
]
