// Unpacks programs of any Debian suite into the project's cache so that they run in place. How packages are fetched is in apt.ts.
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { PROJECT_ROOT } from '../project-root.ts'
import { closure, downloadAndExtract, openApt, systemArchitecture } from './apt.ts'
import type { PackageFile } from './apt-sources.ts'
import { runOrThrow } from './command.ts'

/** Something is not to be had here; the reason is a sentence that says what to do. */
export type Missing = { kind: 'missing'; reason: string }

/** What to unpack. Paths are relative to the folder that takes the place of `/`. */
export type Recipe = {
  suite: string
  /** Short name of the folder, such as `neovim`. */
  name: string
  /** For the progress line, such as `Neovim 0.12`. */
  label: string
  /** Packages to ask for; of all that they need, those are downloaded which `wanted` accepts. */
  roots: readonly string[]
  wanted: (packageName: string) => boolean
  /** Programs to make runnable in place; empty when a plain library is all that is needed. */
  programs: readonly string[]
  /** A last change to the unpacked files, before anybody sees them. */
  afterwards?: (folder: string) => Promise<void>
}

/** `folder` takes the place of `/`; `libraries` holds its shared libraries. */
export type Unpacked = { kind: 'found'; folder: string; libraries: string }

type Platform = { triplet: string; loader: string }

const PLATFORMS: Record<string, Platform> = {
  amd64: { triplet: 'x86_64-linux-gnu', loader: 'ld-linux-x86-64.so.2' },
  arm64: { triplet: 'aarch64-linux-gnu', loader: 'ld-linux-aarch64.so.1' },
}
const PATCH_TOOL = ['patchelf', 'libstdc++6', 'libgcc-s1', 'libc6']
const MARKER = 'complete.json'
const LEFTOVER_AGE_MS = 60 * 60 * 1000

/** The place of all unpacked things. */
export const PROVISION_CACHE = join(PROJECT_ROOT, '.cache', 'provision')

/**
 * Makes the recipe's folder, or reuses it without any network. Processes may do so at the same time: each works in a
 * folder of its own and the first to finish wins. An interrupted run leaves nothing that looks finished.
 */
export async function unpack(recipe: Recipe): Promise<Unpacked | Missing> {
  try {
    const platform = await systemPlatform()
    const folder = join(PROVISION_CACHE, `${recipe.suite}-${recipe.name}`)
    if (!(await isComplete(folder))) await make(recipe, folder, platform)
    return { kind: 'found', folder, libraries: join(folder, 'usr/lib', platform.triplet) }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    return { kind: 'missing', reason: `${recipe.label} could not be unpacked from Debian ${recipe.suite}: ${why}` }
  }
}

async function systemPlatform(): Promise<Platform> {
  const architecture = await systemArchitecture()
  const platform = PLATFORMS[architecture]
  if (!platform) throw new Error(`nobody has prepared this for ${architecture}`)
  return platform
}

// The programs carry the folder's absolute path, so that a copied or moved cache does not count as complete.
async function isComplete(folder: string): Promise<boolean> {
  const text = await readFile(join(folder, MARKER), 'utf8').catch(() => '{}')
  return (JSON.parse(text) as { folder?: string }).folder === folder
}

async function make(recipe: Recipe, folder: string, platform: Platform): Promise<void> {
  await mkdir(PROVISION_CACHE, { recursive: true })
  await removeLeftovers()
  const apt = await openApt(PROVISION_CACHE, recipe.suite)
  const packages = await choosePackages(recipe, (roots) => closure(apt, roots))
  const megabytes = (packages.reduce((sum, file) => sum + file.bytes, 0) / 1e6).toFixed(1)
  process.stderr.write(`unpacking ${recipe.label} into .cache (once, ${megabytes} MB) …\n`)
  const temporary = await mkdtemp(`${folder}.tmp-`)
  try {
    const names = packages.map((file) => file.name)
    await downloadAndExtract(apt, names, temporary)
    for (const program of recipe.programs) await runInPlace({ program, temporary, folder, platform })
    await recipe.afterwards?.(temporary)
    const versions = Object.fromEntries(packages.map((file) => [file.name, file.version]))
    await writeFile(join(temporary, MARKER), JSON.stringify({ folder, versions }, null, 2))
    await chmod(temporary, 0o755)
    await moveIntoPlace(temporary, folder)
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function choosePackages(
  recipe: Recipe,
  ask: (roots: string[]) => Promise<PackageFile[]>,
): Promise<PackageFile[]> {
  const tool = recipe.programs.length > 0 ? PATCH_TOOL : []
  const all = await ask([...recipe.roots, ...tool.slice(0, 1)])
  const chosen = all.filter(({ name }) => recipe.wanted(name) || tool.includes(name))
  const absent = recipe.roots.filter((root) => !chosen.some(({ name }) => name === root))
  if (absent.length > 0) throw new Error(`the suite has no ${absent.join(', ')}`)
  return chosen
}

/**
 * Points a program at the loader and the libraries that came with it. Starting it through the loader would do for most,
 * but Neovim's TUI and sshd start themselves again by their own path.
 */
async function runInPlace(step: {
  program: string
  temporary: string
  folder: string
  platform: Platform
}): Promise<void> {
  const { triplet, loader } = step.platform
  const folders = [join('usr/lib', triplet), join('lib', triplet)].filter((part) =>
    existsSync(join(step.temporary, part)),
  )
  const loaderFolder = folders.find((part) => existsSync(join(step.temporary, part, loader)))
  if (loaderFolder === undefined) throw new Error(`the packages hold no ${loader}`)
  const search = (base: string) => folders.map((part) => join(base, part)).join(':')
  const throughLoader = (args: string[]) =>
    runOrThrow(join(step.temporary, loaderFolder, loader), ['--library-path', search(step.temporary), ...args])
  const program = join(step.temporary, step.program)
  const absent = /^\s*(\S+) => not found/m.exec(await throughLoader(['--list', program]))
  if (absent) throw new Error(`${basename(program)} needs ${absent[1]}, which no wanted package holds`)
  const interpreter = join(step.folder, loaderFolder, loader)
  // An old-fashioned rpath, unlike a runpath, holds for the libraries' own needs too.
  const change = ['--force-rpath', '--set-interpreter', interpreter, '--set-rpath', search(step.folder)]
  await throughLoader([join(step.temporary, 'usr/bin/patchelf'), ...change, program])
}

async function moveIntoPlace(temporary: string, folder: string): Promise<void> {
  if (!(await isComplete(folder))) await rm(folder, { recursive: true, force: true })
  await rename(temporary, folder).catch(async (error: unknown) => {
    if (!(await isComplete(folder))) throw error
  })
}

async function removeLeftovers(): Promise<void> {
  for (const name of (await readdir(PROVISION_CACHE)).filter((entry) => entry.includes('.tmp-'))) {
    const path = join(PROVISION_CACHE, name)
    const made = await stat(path).catch(() => undefined)
    // Not mtime: dpkg-deb sets that to the package's own.
    const leftover = made !== undefined && Date.now() - made.ctimeMs > LEFTOVER_AGE_MS
    if (leftover) await rm(path, { recursive: true, force: true }).catch(() => {})
  }
}
