// Reads apt's own lists of sources and picks the distribution's archive from them. It touches neither disk nor network.

/** One archive as apt knows it. `signedBy` is a path of a keyring, or undefined when absent or given inline. */
export type SourceEntry = { uri: string; suites: string[]; components: string[]; signedBy: string | undefined }

/** What /etc/os-release says: `id` such as debian or ubuntu, `codename` such as bookworm (empty on sid). */
export type Distribution = { id: string; codename: string }

/** A package that apt would install: the size is that of its file, in bytes. */
export type PackageFile = { name: string; version: string; bytes: number }

const POCKET = /-(security|updates|backports|proposed)\b|[/]/
const USED_COMPONENTS = ['main', 'universe']

/** Reads the form `deb [option=value …] URI SUITE COMPONENT …`; deb-src lines and comments are left out. */
export function parseOneLineSources(text: string): SourceEntry[] {
  return text.split('\n').flatMap((line) => {
    const match = /^\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*([^#]*)/.exec(line)
    if (!match) return []
    const [, options = '', uri = '', suite = '', components = ''] = match
    const signedBy = /(?:^|\s)signed-by=(\S+)/i.exec(options)?.[1]
    return [{ uri, suites: [suite], components: words(components), signedBy: keyringPath(signedBy) }]
  })
}

/** Reads deb822 stanzas (the .sources files); stanzas with `Enabled: no` or without `deb` are left out. */
export function parseDeb822Sources(text: string): SourceEntry[] {
  const uncommented = text.replace(/^#.*(\n|$)/gm, '')
  return uncommented.split(/\n\s*\n/).flatMap((stanza) => {
    const fields = stanzaFields(stanza)
    const enabled = !/^(no|false|off|0)$/i.test(fields.get('enabled') ?? 'yes')
    if (!enabled || !words(fields.get('types')).includes('deb')) return []
    const shared = {
      suites: words(fields.get('suites')),
      components: words(fields.get('components')),
      signedBy: keyringPath(fields.get('signed-by')),
    }
    return words(fields.get('uris')).map((uri) => ({ uri, ...shared }))
  })
}

/**
 * The entry that is the distribution's main archive, with only the components that are used.
 * Others may name the same suite and component (vendors' repositories do), hence the look at the address's last part.
 */
export function chooseArchive(entries: readonly SourceEntry[], id: string): SourceEntry | undefined {
  const addressEnd = new RegExp(`/${id}(\\.list)?/?$`)
  const chosen = entries.find((entry) => {
    const ours = addressEnd.test(entry.uri) || entry.signedBy?.includes(`${id}-archive-`) === true
    return ours && entry.components.includes('main') && entry.suites.some((suite) => !POCKET.test(suite))
  })
  return chosen && { ...chosen, components: chosen.components.filter((name) => USED_COMPONENTS.includes(name)) }
}

/** Reads /etc/os-release. */
export function parseOsRelease(text: string): Distribution {
  const value = (key: string) => new RegExp(`^${key}="?([^"\\n]*)"?$`, 'm').exec(text)?.[1] ?? ''
  return { id: value('ID'), codename: value('VERSION_CODENAME') }
}

/** Reads the answer of `apt-get --print-uris`: lines of `'URI' NAME_VERSION_ARCH.deb SIZE HASH`. */
export function parsePrintedUris(text: string): PackageFile[] {
  return text.split('\n').flatMap((line) => {
    const match = /^'[^']*' ([^_\s]+)_([^_\s]+)_[^_\s]+\.deb (\d+)/.exec(line)
    if (!match) return []
    const [, name = '', version = '', size = ''] = match
    return [{ name, version: decodeURIComponent(version), bytes: Number(size) }]
  })
}

function stanzaFields(stanza: string): Map<string, string> {
  const unfolded = stanza.replace(/\n[ \t]+/g, ' ')
  const pairs = unfolded.split('\n').map((line) => /^([^:\s]+):\s*(.*)$/.exec(line))
  return new Map(pairs.flatMap((match) => (match ? [[(match[1] ?? '').toLowerCase(), match[2] ?? ''] as const] : [])))
}

function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '')
}

function keyringPath(value: string | undefined): string | undefined {
  return value?.startsWith('/') ? value.trim() : undefined
}
