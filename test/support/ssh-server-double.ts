// An SSH server inside this process: for `make try`, which must run where no sshd is, and for faults no real sshd shows.
import { connect, createServer } from 'node:net'
import ssh2, { type Connection, type ServerChannel } from 'ssh2'

export interface SshServerDouble {
  host: '127.0.0.1'
  port: number
  user: string
  /** A private key that logs in, in OpenSSH's format. */
  clientKey: string
  /** The host's line for a known_hosts file. */
  knownHostsLine: string
  /** Cuts every connection as a dying server does. */
  killConnections(): void
  stop(): Promise<void>
}

const USER = 'demo'

/** Starts a server on loopback that lets one key in and forwards channels to this machine only. */
export async function startSshServerDouble(): Promise<SshServerDouble> {
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519')
  const clientKey = ssh2.utils.generateKeyPairSync('ed25519')
  const allowed = publicBlob(clientKey.public)
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    connections.add(connection)
    connection.on('close', () => connections.delete(connection))
    connection.on('error', () => {})
    serve(connection, allowed)
  })
  // ssh2 leaves Nagle's algorithm on, which holds each small answer back for 40 ms.
  const listener = createServer({ noDelay: true }, (socket) => server.injectSocket(socket))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  const cut = () => {
    for (const connection of connections) connection.end()
  }
  return {
    host: '127.0.0.1',
    port,
    user: USER,
    clientKey: clientKey.private,
    knownHostsLine: `[127.0.0.1]:${port} ${hostKey.public}`,
    killConnections: cut,
    stop: async () => {
      cut()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

function serve(connection: Connection, allowed: Buffer): void {
  connection.on('authentication', (context) => {
    const known = context.method === 'publickey' && context.username === USER && context.key.data.equals(allowed)
    if (!known) return context.reject(['publickey'])
    // Without a signature the client only asks whether the key would do.
    if (!context.signature) return context.accept()
    const key = ssh2.utils.parseKey(`${context.key.algo} ${allowed.toString('base64')}`)
    const verified = !(key instanceof Error) && key.verify(context.blob as Buffer, context.signature, context.hashAlgo)
    return verified === true ? context.accept() : context.reject()
  })
  connection.on('ready', () => {
    connection.on('tcpip', (accept, reject, { destIP, destPort }) => {
      if (destIP !== '127.0.0.1' && destIP !== 'localhost') return reject()
      const socket = connect({ host: '127.0.0.1', port: destPort, noDelay: true })
      socket.once('error', () => reject())
      socket.once('connect', () => join(accept(), socket))
    })
  })
}

function join(channel: ServerChannel, socket: ReturnType<typeof connect>): void {
  socket.removeAllListeners('error')
  socket.on('error', () => channel.close())
  channel.on('error', () => socket.destroy())
  channel.on('close', () => socket.destroy())
  channel.pipe(socket).pipe(channel)
}

function publicBlob(line: string): Buffer {
  return Buffer.from(line.split(' ')[1] ?? '', 'base64')
}
