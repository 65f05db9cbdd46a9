// Which certificates are trusted for https: the usual ones, and those of a file that the user names.
import { X509Certificate } from 'node:crypto'
import { PluginError } from '../../core/errors.ts'
import type { SshFiles } from '../ssh-files.ts'

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g

/**
 * All authorities in PEM. Naming some replaces Node's own, so those are among them.
 * @param path absolute, of a file with one certificate or several.
 * @throws PluginError CONFIG_INVALID when the file is not there or has no certificate.
 */
export async function readAuthorities(path: string, files: Pick<SshFiles, 'read'>): Promise<string[]> {
  const text = await files.read(path).catch((error) => {
    throw invalid(path, `cannot be read (${(error as NodeJS.ErrnoException).code ?? error})`, error)
  })
  if (text === undefined) throw invalid(path, 'is not there')
  const own = text.match(CERTIFICATE) ?? []
  if (own.length === 0) throw invalid(path, 'has no certificate in PEM')
  try {
    for (const certificate of own) new X509Certificate(certificate)
  } catch (error) {
    throw invalid(path, 'has a certificate that cannot be understood', error)
  }
  return [...(await usual(files)), ...own]
}

/** Newer Nodes tell what they trust, NODE_EXTRA_CA_CERTS among it. Loaded on need: few servers have certificates. */
async function usual(files: Pick<SshFiles, 'read'>): Promise<readonly string[]> {
  const tls = await import('node:tls')
  const { getCACertificates } = tls as { getCACertificates?: (kind: 'default') => string[] }
  if (getCACertificates) return getCACertificates('default')
  const extra = process.env.NODE_EXTRA_CA_CERTS
  const text = extra === undefined ? undefined : await files.read(extra).catch(() => undefined)
  return [...tls.rootCertificates, ...(text?.match(CERTIFICATE) ?? [])]
}

function invalid(path: string, what: string, cause?: unknown): PluginError {
  return new PluginError('CONFIG_INVALID', `ca_file ${path} ${what}`, {
    hint: 'Name a file with the certificate of the authority in PEM (it begins with -----BEGIN CERTIFICATE-----).',
    cause,
  })
}
