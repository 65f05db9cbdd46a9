// A certificate authority of the web for tests, and what it signs. Made with openssl in a folder that goes again at once.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runOrThrow } from '../../scripts/provision/command.ts'

/** All in PEM. */
export interface WebCertificates {
  /** The authority's own certificate. */
  authority: string
  key: string
  certificate: string
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/**
 * A certificate for hosts of these names, by a new authority.
 * @throws Error when openssl is not there or fails.
 */
export async function makeWebCertificates(hosts: readonly string[], days = 2): Promise<WebCertificates> {
  const folder = await mkdtemp(join(tmpdir(), 'web-certificates-'))
  const path = (name: string) => join(folder, name)
  const openssl = (...words: string[]) => runOrThrow('openssl', words)
  try {
    const own = ['-keyout', path('ca.key'), '-out', path('ca.pem'), '-subj', '/CN=Test authority', '-days', '2']
    await openssl('req', '-x509', ...KEY, ...own)
    await openssl('req', ...KEY, '-keyout', path('host.key'), '-out', path('host.csr'), '-subj', '/CN=test')
    await writeFile(path('host.ext'), `subjectAltName=${hosts.map((host) => `DNS:${host}`).join(',')}\n`)
    const by = ['-CA', path('ca.pem'), '-CAkey', path('ca.key'), '-CAcreateserial', '-extfile', path('host.ext')]
    await openssl('x509', '-req', '-in', path('host.csr'), ...by, '-out', path('host.pem'), '-days', String(days))
    const [authority, key, certificate] = await Promise.all(
      ['ca.pem', 'host.key', 'host.pem'].map((name) => readFile(path(name), 'utf8')),
    )
    return { authority: authority as string, key: key as string, certificate: certificate as string }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
