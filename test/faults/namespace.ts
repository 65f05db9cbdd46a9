// A network namespace of the test's own, joined to this one by a pair of interfaces. Linux, and root, only.
import { chmod, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import { run, runOrThrow } from '../../scripts/provision/command.ts'
import type { NeovimBinary } from '../support/nvim-driver.ts'

export interface Namespace {
  /** Address of this side, for servers to listen on. */
  readonly host: string
  /** `ip` within the namespace. */
  ip(...args: string[]): Promise<void>
  down(): Promise<void>
  /** Up, with the first address. */
  up(): Promise<void>
  removeAddress(): Promise<void>
  changeAddress(): Promise<void>
  /** The same Neovim, to be started within. */
  neovim(binary: NeovimBinary, folder: string): Promise<NeovimBinary>
}

let count = 0

/** It ends with the test. @throws Error where the system does not allow it */
export async function makeNamespace(): Promise<Namespace> {
  const number = (process.pid * 7 + ++count) % 16_384
  const name = `faults-${number}`
  const [outer, inner] = [`fo${number}`, `fi${number}`]
  // Addresses for tests of networks (RFC 2544); the pair leads nowhere else.
  const place = (last: number) => {
    const index = number * 8 + last
    return `198.${18 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`
  }
  const outside = (...args: string[]) => runOrThrow('ip', args)
  const ip = async (...args: string[]) => void (await outside('-n', name, ...args))
  await outside('netns', 'add', name)
  onTestFinished(async () => {
    await run('ip', ['link', 'del', outer])
    await run('ip', ['netns', 'del', name])
  })
  await outside('link', 'add', outer, 'type', 'veth', 'peer', 'name', inner, 'netns', name)
  await outside('addr', 'add', `${place(1)}/29`, 'dev', outer)
  await outside('link', 'set', outer, 'up')
  const up = async () => {
    await ip('addr', 'replace', `${place(2)}/29`, 'dev', inner)
    await ip('link', 'set', 'lo', 'up')
    await ip('link', 'set', inner, 'up')
  }
  await up()
  const removeAddress = () => ip('addr', 'flush', 'dev', inner)
  return {
    host: place(1),
    ip,
    down: () => ip('link', 'set', inner, 'down'),
    up,
    removeAddress,
    changeAddress: async () => {
      await removeAddress()
      await ip('addr', 'add', `${place(3)}/29`, 'dev', inner)
    },
    neovim: async ({ path, environment }, folder) => {
      const script = join(folder, 'nvim-within')
      await writeFile(script, `#!/bin/sh\nexec ip netns exec ${name} '${path}' "$@"\n`)
      await chmod(script, 0o755)
      return { path: script, environment }
    },
  }
}
