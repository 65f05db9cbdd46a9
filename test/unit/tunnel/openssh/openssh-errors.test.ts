import { describe, expect, it } from 'vitest'
import { endError, refusedError, startError } from '../../../../src/tunnel/openssh/openssh-errors.ts'
import { memoryFiles, PARAMETERS } from '../fakes.ts'

const ED25519 = 'AAAAC3NzaC1lZDI1NTE5AAAAIGkVQ0nM8y0sN1qz7C4a5m3l2k1j0i9h8g7f6e5d4c3b'

const ROWS: [string, string][] = [
  ['/home/bob/.ssh/config: line 3: Bad configuration option: nonsense', 'SSH_CONFIG_INVALID'],
  ['ssh: Could not resolve hostname gpu.example.com: Name or service not known', 'SSH_HOST_NOT_FOUND'],
  ['ssh: connect to host gpu.example.com port 22: Connection refused', 'SSH_UNREACHABLE'],
  ['ssh: connect to host gpu.example.com port 22: No route to host', 'SSH_UNREACHABLE'],
  ['ssh: connect to host gpu.example.com port 22: Connection timed out', 'SSH_CONNECTION_TIMEOUT'],
  ['Connection timed out during banner exchange', 'SSH_CONNECTION_TIMEOUT'],
  ['kex_exchange_identification: Connection closed by remote host', 'SSH_DROPPED_EARLY'],
  ['Connection reset by 10.0.0.1 port 22', 'SSH_DROPPED_EARLY'],
  [
    'Unable to negotiate with 10.0.0.1 port 22: no matching key exchange method found. Their offer: x',
    'SSH_NO_COMMON_ALGORITHM',
  ],
  ['bob@gpu.example.com: Permission denied (publickey,password).', 'SSH_AUTH_FAILED'],
  ['Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures', 'SSH_AUTH_FAILED'],
  ['No ED25519 host key is known for gpu and you have requested strict checking.', 'SSH_HOST_KEY_UNKNOWN'],
  ['Host key verification failed.', 'SSH_HOST_KEY_UNKNOWN'],
  ['@       WARNING: REVOKED HOST KEY DETECTED!               @', 'SSH_HOST_KEY_REVOKED'],
  ['something that nobody foresaw', 'SSH_UNREACHABLE'],
]

describe('why ssh ended before it was up', () => {
  it.each(ROWS)('%s', async (line, code) => {
    const error = await startError(['Warning: something before', line], PARAMETERS, memoryFiles())
    expect(error.code).toBe(code)
    expect(error.hint).toBeTruthy()
  })

  it('the cause counts, not what follows from it', async () => {
    const words = [
      'No ED25519 host key is known for gpu and you have requested strict checking.',
      'Host key verification failed.',
    ]
    expect((await startError(words, PARAMETERS, memoryFiles())).message).toContain('StrictHostKeyChecking is yes')
  })

  it('a changed key is told with both fingerprints and its place', async () => {
    const words = [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @',
      'The fingerprint for the ED25519 key sent by the remote host is',
      'SHA256:new+Print/1.',
      'Offending ED25519 key in /home/bob/.ssh/known hosts:2',
      'Host key for gpu has changed and you have requested strict checking.',
      'Host key verification failed.',
    ]
    const files = memoryFiles({ '/home/bob/.ssh/known hosts': `# one\ngpu ssh-ed25519 ${ED25519}\n` })
    const error = await startError(words, PARAMETERS, files)
    expect(error.code).toBe('SSH_HOST_KEY_CHANGED')
    expect(error.message).toMatch(
      /known is ED25519 SHA256:\S{43} \(\/home\/bob\/\.ssh\/known hosts:2\), shown was SHA256:new\+Print\/1$/,
    )
    expect(error.hint).toContain("ssh-keygen -R 'gpu.example.com' -f '/home/bob/.ssh/known hosts'")
  })

  it('quotes what the server says without anything that could move a cursor', async () => {
    const error = await startError(['bad\u001b[2J words'], PARAMETERS, memoryFiles())
    expect(error.message).toContain('bad [2J words')
  })
})

describe('what else is told', () => {
  it.each([
    ['administratively prohibited: open failed', 'SSH_FORWARDING_DENIED'],
    ['connect failed: Connection refused', 'API_UNAVAILABLE'],
    ['unknown channel type: ', 'SSH_FORWARDING_DENIED'],
  ])('a channel that was refused: %s', (reason, code) => {
    expect(refusedError(reason, { host: '127.0.0.1', port: 80 }, PARAMETERS).code).toBe(code)
  })

  it('the last words of a connection that was up', () => {
    expect(endError(['Warning', 'Timeout, server gpu not responding.'], PARAMETERS)).toMatchObject({
      code: 'SSH_DISCONNECTED',
      message: 'The SSH connection to gpu was lost: Timeout, server gpu not responding.',
    })
  })
})
