// The hosts that a user's ssh_config names, to choose from. What is configured for them is ssh-config.ts's.
import { userInfo } from 'node:os'
import { type ConfigFiles, readWithIncludes, wordsOf } from './includes.ts'

/**
 * The aliases of `Host` lines in the order of the files, each once; no patterns, no negations. Empty when there is no file.
 * @param path of the configuration, as `~/.ssh/config` with the home written out.
 * @throws the error of node:fs when the file is there and cannot be read.
 */
export async function hostAliases(
  files: ConfigFiles,
  path: string,
  home: string = userInfo().homedir,
): Promise<string[]> {
  const lines = (await readWithIncludes(files, path, home)).split('\n').flatMap((line) => wordsOf(line) ?? [])
  const named = lines.flatMap(({ keyword, words }) => (keyword === 'host' ? words : []))
  return [...new Set(named.filter((name) => !/[*?!]/.test(name)))]
}

/** Those of the user's own configuration. */
export async function userHostAliases(files: ConfigFiles): Promise<string[]> {
  const home = userInfo().homedir
  return hostAliases(files, `${home}/.ssh/config`, home)
}
