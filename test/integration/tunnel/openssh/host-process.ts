// A host of its own, to be killed: `host-process.ts CONFIG PORT USER KEY` connects by the ssh program, says so, and stays.
import { systemClock } from '../../../../src/core/clock.ts'
import { silentLog } from '../../../../src/core/log.ts'
import { openServer } from '../../../../src/tunnel/server.ts'
import { sshTarget } from '../../../support/ssh-target.ts'

const [sshConfigFile = '', port = '', user = '', identityFile = ''] = process.argv.slice(2)
const server = openServer(
  {
    name: 'test',
    url: new URL('http://127.0.0.1:9'),
    ssh: sshTarget({ host: '127.0.0.1', port: Number(port), user, identityFile, transport: 'openssh' }),
    caFile: undefined,
  },
  {
    prompts: { secret: async () => undefined, choose: async () => undefined },
    clock: systemClock,
    log: silentLog,
    sshConfigFile,
  },
)
await server.connect()
process.stdout.write('ready\n')
setInterval(() => {}, 60_000)
