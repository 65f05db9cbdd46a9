// The bundle's entry, in two modes: run by our Lua it is the host; loaded by node-client's stock host it is a remote plugin.
// What the host is made of is in app.ts.
import type { NvimPlugin } from 'neovim'
import { App } from './app.ts'
import { attachToParent } from './nvim/attach.ts'

/** Neovim waits two seconds for a host that was told to end, and then kills it. */
const LONGEST_LEAVE_MS = 1_500
/** From the signal until the channel's end, which Neovim brings about too, in no order. */
const CHANNEL_END_MS = 250

// node-client's stock host is started by a script of its own.
if (process.argv[1]?.endsWith('index.cjs')) runAsHost()

/** What `:UpdateRemotePlugins` finds. Our own Lua never goes this way: it starts this file as a process of its own. */
export default (plugin: NvimPlugin) => {
  plugin.setOptions({ dev: false })
  plugin.registerFunction('OllamaRemoteVersion', () => PLUGIN_VERSION, { sync: true })
}

function runAsHost(): void {
  const client = attachToParent((message) => app.logClient(message))
  const app = new App(client)
  client.on('notification', (name: string, args: unknown[]) => {
    if (name === 'request') void app.receive(args)
  })
  // A host that outlives its Neovim (killed, crashed) would keep SSH connections open that nobody owns.
  let isLeaving = false
  const leave = () => {
    // A second end must not overtake what the first one still saves.
    if (isLeaving) return
    isLeaving = true
    // A disk that does not answer is no reason to stay.
    setTimeout(() => process.exit(0), LONGEST_LEAVE_MS)
    void app.leave().finally(() => process.exit(0))
  }
  client.on('disconnect', leave)
  // What Neovim asked for last may stand in the channel still; whoever else has the host end does not close it.
  process.once('SIGTERM', () => setTimeout(() => setImmediate(leave), CHANNEL_END_MS))
  // A second one, which would else be deadly.
  process.on('SIGTERM', () => {})
  process.on('uncaughtException', (error) => app.crash(error))
  process.on('unhandledRejection', (reason) => app.crash(reason))
}
