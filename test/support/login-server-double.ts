// An SSH server inside this process that wants several ways to log in, one after the other, as PAM would make a real one
// want them. It forwards nothing: only the login is of interest.
import { createServer } from 'node:net'
import ssh2, { type AuthContext, type AuthenticationType, type Connection } from 'ssh2'

export interface LoginServerDouble {
  host: '127.0.0.1'
  port: number
  /** A private key that is accepted, in OpenSSH's format. */
  clientKey: string
  knownHostsLine: string
  /** Every try that came, with what became of it, as `password: refused`. */
  tries: string[]
  stop(): Promise<void>
}

export interface LoginServerOptions {
  /** What is wanted, in this order; only the next of them is ever offered. */
  chain: readonly AuthenticationType[]
  /** Questions of keyboard-interactive with the answers that are right. */
  questions?: readonly (readonly [prompt: string, answer: string])[]
  password?: string
}

type Verdict = 'accepted' | 'refused' | 'would do'

export async function startLoginServer(options: LoginServerOptions): Promise<LoginServerDouble> {
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519')
  const clientKey = ssh2.utils.generateKeyPairSync('ed25519')
  const allowed = Buffer.from(clientKey.public.split(' ')[1] ?? '', 'base64')
  const tries: string[] = []
  const connections = new Set<Connection>()
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (connection) => {
    connections.add(connection)
    connection.on('error', () => {})
    connection.on('close', () => connections.delete(connection))
    const left = [...options.chain]
    connection.on('authentication', async (context) => {
      const verdict = context.method === left[0] ? await judge(context, options, allowed) : 'refused'
      tries.push(`${context.method}: ${verdict}`)
      if (verdict === 'would do') return context.accept()
      if (verdict === 'accepted') left.shift()
      if (left.length === 0) context.accept()
      else context.reject([left[0] ?? 'none'], verdict === 'accepted')
    })
  })
  const listener = createServer((socket) => server.injectSocket(socket))
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve))
  const { port } = listener.address() as { port: number }
  return {
    host: '127.0.0.1',
    port,
    clientKey: clientKey.private,
    knownHostsLine: `[127.0.0.1]:${port} ${hostKey.public}`,
    tries,
    stop: async () => {
      for (const connection of connections) connection.end()
      await new Promise((resolve) => listener.close(resolve))
    },
  }
}

async function judge(context: AuthContext, options: LoginServerOptions, allowed: Buffer): Promise<Verdict> {
  switch (context.method) {
    case 'password':
      return context.password === options.password ? 'accepted' : 'refused'
    case 'publickey':
      if (!context.key.data.equals(allowed)) return 'refused'
      return context.signature ? 'accepted' : 'would do'
    case 'keyboard-interactive': {
      const questions = options.questions ?? []
      const prompts = questions.map(([prompt]) => ({ prompt, echo: false }))
      const answers = await new Promise<string[]>((resolve) => context.prompt(prompts, resolve))
      return questions.every(([, answer], index) => answers[index] === answer) ? 'accepted' : 'refused'
    }
    default:
      return 'refused'
  }
}
