// Brings an SSH connection up by the system's own ssh, for what ssh2 cannot do. The program logs in and stays as our own
// master; streams go through unix sockets in a private folder. Where a master of the user's lives it is used instead.
import type { SshTarget } from '../../config/schema.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'
import type { Session } from '../transport.ts'
import { OpensshLogin } from './openssh-login.ts'
import type { OpensshOptions } from './options.ts'
import { makeRuntimeFolder, type RuntimeFolder } from './runtime-folder.ts'
import { findMaster, shareMaster } from './shared-master.ts'
import { strictConfig } from './strict-config.ts'

/**
 * Connects and logs in, or takes the user's living master. Nothing is tried twice.
 * @throws PluginError SSH_*; the signal's reason when it is aborted.
 */
export async function connectOpenssh(
  target: SshTarget,
  parameters: SshParameters,
  options: OpensshOptions,
): Promise<Session> {
  options.signal.throwIfAborted()
  const folder = await makeRuntimeFolder()
  try {
    const shared = await findMaster(parameters, options)
    if (shared) return shareMaster(shared, folder, parameters, options)
    const configFile = await configFor(folder, options)
    return await new OpensshLogin({ target, parameters, configFile }, folder, options).run()
  } catch (error) {
    await folder.remove()
    throw error
  }
}

/** A hop has no arguments of its own: what must hold for it can only stand in a configuration. */
async function configFor(
  folder: RuntimeFolder,
  { configFile, route = [] }: OpensshOptions,
): Promise<string | undefined> {
  const text = strictConfig(route.slice(0, -1), configFile)
  return text === undefined ? configFile : folder.write('config', text, 'text')
}
