// A private apt: asks the system's own archive for packages of any suite, without root and without touching the system.
// What becomes of the packages is in debian.ts.
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  chooseArchive,
  type Distribution,
  type PackageFile,
  parseDeb822Sources,
  parseOneLineSources,
  parseOsRelease,
  parsePrintedUris,
  type SourceEntry,
} from './apt-sources.ts'
import { run, runOrThrow } from './command.ts'

/** One suite's package lists, in a folder of our own. */
export type Apt = { suite: string; folder: string }

/** An archive's lists change several times a day; older ones may name files that are gone. */
const LISTS_FRESH_MS = 60 * 60 * 1000
const UPDATE_TIMEOUT_MS = 3 * 60 * 1000
const DOWNLOAD_TIMEOUT_MS = 10 * 60 * 1000

/** The system's hooks would clean its cache and refresh its catalogues; ours must not touch the system. */
const CONFIGURATION = ['Pre-Invoke', 'Post-Invoke', 'Post-Invoke-Success']
  .map((hook) => `#clear APT::Update::${hook};\n`)
  .join('')

/**
 * Opens the suite's lists inside `cache`, fetching them unless they are fresh.
 * @throws Error when this is no Debian-like system, its sources name no archive, or the archive does not answer.
 */
export async function openApt(cache: string, suite: string): Promise<Apt> {
  const apt = { suite, folder: join(cache, `apt-${suite}`) }
  if (await isFresh(apt)) return apt
  const archive = await systemArchive()
  const temporary = { suite, folder: await mkdtemp(join(cache, `apt-${suite}.tmp-`)) }
  try {
    await fetchLists(temporary, archive)
    // Another process may have been first and be at work with its lists, which are as fresh as ours.
    if (!(await isFresh(apt))) await rm(apt.folder, { recursive: true, force: true })
    await rename(temporary.folder, apt.folder).catch(async (error: unknown) => {
      if (!(await isFresh(apt))) throw error
    })
    return apt
  } finally {
    await rm(temporary.folder, { recursive: true, force: true })
  }
}

/** All packages that `roots` need on an empty system, recommended ones left out. */
export async function closure(apt: Apt, roots: readonly string[]): Promise<PackageFile[]> {
  const args = ['install', '--print-uris', '-qq', '-y', '--no-install-recommends', ...roots]
  return parsePrintedUris(await aptGet(apt, args, { timeoutMs: UPDATE_TIMEOUT_MS }))
}

/**
 * Downloads the named packages and unpacks them over each other into `target`.
 * @throws Error when the download fails; the lists are thrown away then, so that the next run asks for new ones.
 */
export async function downloadAndExtract(apt: Apt, names: readonly string[], target: string): Promise<void> {
  const downloads = join(target, '.downloads')
  await mkdir(downloads, { recursive: true })
  try {
    await aptGet(apt, ['download', '-qq', ...names], { cwd: downloads, timeoutMs: DOWNLOAD_TIMEOUT_MS })
  } catch (error) {
    await rm(apt.folder, { recursive: true, force: true })
    throw error
  }
  for (const file of (await readdir(downloads)).filter((name) => name.endsWith('.deb'))) {
    await runOrThrow('dpkg-deb', ['-x', join(downloads, file), target])
  }
  await rm(downloads, { recursive: true, force: true })
}

/** @throws Error when there is no /etc/os-release. */
export async function systemDistribution(): Promise<Distribution> {
  return parseOsRelease(await readFile('/etc/os-release', 'utf8'))
}

/** Debian's name of the processor, such as amd64 or arm64. */
export async function systemArchitecture(): Promise<string> {
  const outcome = await run('dpkg', ['--print-architecture'])
  if (outcome.code !== 0) throw new Error('this system has no dpkg and apt')
  return outcome.stdout.trim()
}

async function isFresh(apt: Apt): Promise<boolean> {
  const made = await stat(join(apt.folder, 'sources.list')).catch(() => undefined)
  return made !== undefined && Date.now() - made.mtimeMs < LISTS_FRESH_MS
}

async function fetchLists(apt: Apt, archive: SourceEntry): Promise<void> {
  for (const part of ['state/lists/partial', 'cache/archives/partial']) {
    await mkdir(join(apt.folder, part), { recursive: true })
  }
  const keyring = archive.signedBy === undefined ? '' : ` signed-by=${archive.signedBy}`
  const line = `deb [target=Packages lang=none${keyring}] ${archive.uri} ${apt.suite} ${archive.components.join(' ')}\n`
  await writeFile(join(apt.folder, 'apt.conf'), CONFIGURATION)
  await writeFile(join(apt.folder, 'status'), '')
  await writeFile(join(apt.folder, 'sources.list'), line)
  await aptGet(apt, ['update', '-qq', '--error-on=any'], { timeoutMs: UPDATE_TIMEOUT_MS })
}

async function systemArchive(): Promise<SourceEntry> {
  const { id } = await systemDistribution()
  const parts = await readdir('/etc/apt/sources.list.d').catch(() => [])
  const files = ['/etc/apt/sources.list', ...parts.map((name) => join('/etc/apt/sources.list.d', name))]
  const entries = await Promise.all(
    files.map(async (file) => {
      const text = await readFile(file, 'utf8').catch(() => '')
      if (file.endsWith('.sources')) return parseDeb822Sources(text)
      return file.endsWith('.list') ? parseOneLineSources(text) : []
    }),
  )
  const archive = chooseArchive(entries.flat(), id)
  if (!archive) throw new Error(`the apt sources of this system name no ${id} archive`)
  // The keyring of the entry may hold the keys of the system's own suite only; the whole one signs every suite.
  const whole = ['gpg', 'pgp'].map((end) => `/usr/share/keyrings/${id}-archive-keyring.${end}`).find(existsSync)
  return { ...archive, signedBy: whole ?? archive.signedBy }
}

function aptGet(apt: Apt, args: readonly string[], options: { cwd?: string; timeoutMs: number }): Promise<string> {
  const settings = {
    'Dir::Etc::sourcelist': join(apt.folder, 'sources.list'),
    'Dir::Etc::sourceparts': '/dev/null',
    'Dir::Etc::preferences': '/dev/null',
    'Dir::Etc::preferencesparts': '/dev/null',
    'Dir::State': join(apt.folder, 'state'),
    'Dir::State::status': join(apt.folder, 'status'),
    'Dir::Cache': join(apt.folder, 'cache'),
    // Root's apt would become the user _apt, who cannot write into a private folder.
    'APT::Sandbox::User': 'root',
    'Acquire::Retries': '2',
    'Acquire::http::Timeout': '20',
    'Acquire::https::Timeout': '20',
  }
  const switches = Object.entries(settings).flatMap(([key, value]) => ['-o', `${key}=${value}`])
  const configuration = ['-c', join(apt.folder, 'apt.conf')]
  return runOrThrow('apt-get', [...configuration, ...switches, ...args], { ...options, environment: { LC_ALL: 'C' } })
}
