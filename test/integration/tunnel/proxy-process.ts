// A process that runs a ProxyCommand and nothing else, to be killed: `node scripts/run.mjs proxy-process.ts COMMAND`.
import { ProxyCommandStream } from '../../../src/tunnel/ssh2/proxy-command.ts'

const stream = new ProxyCommandStream(process.argv[2] ?? '', 'gpu')
stream.on('error', () => {})
stream.on('data', (chunk) => process.stdout.write(chunk))
