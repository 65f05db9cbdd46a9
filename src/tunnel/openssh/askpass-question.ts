// What ssh asks by SSH_ASKPASS, understood: only its words say what it is about. Pure; nobody is asked here.
import { passwordName } from '../secrets/secrets.ts'
import type { SshParameters } from '../ssh-config/ssh-parameters.ts'

export type AskpassQuestion =
  /** To be answered by yes or no. */
  | { kind: 'host key'; title: string; detail: string }
  | { kind: 'confirm'; title: string; detail: string }
  /** Nothing to answer: it goes away by itself when a token was touched. */
  | { kind: 'notice'; text: string }
  /** `name` is that of the secret in `Secrets`, where it may be kept. */
  | { kind: 'secret'; title: string; detail: string; name: string | undefined }

/** Characters of a question that are shown. */
const MAX_LENGTH = 400

/**
 * @param prompt the only argument of an askpass program.
 * @param hint what ssh says of its kind by SSH_ASKPASS_PROMPT: `confirm`, `none` (nothing to type), or nothing.
 */
export function understandQuestion(prompt: string, hint: string, parameters: SshParameters): AskpassQuestion {
  const lines = prompt
    .split(/\r?\n/)
    .map(plain)
    .filter((line) => line !== '')
  const [first = 'ssh asks something', ...others] = lines
  const account = `${parameters.user}@${parameters.host}:${parameters.port}`
  if (hint === 'none') return { kind: 'notice', text: lines.join(' ') }
  if (/\(yes\/no/.test(prompt)) {
    const isHostKey = /authenticity of host|continue connecting/.test(prompt)
    const detail = others.filter((line) => !/\(yes\/no/.test(line)).join('\n')
    return { kind: isHostKey ? 'host key' : 'confirm', title: first.replace(/ \(yes\/no.*$/, ''), detail }
  }
  if (hint === 'confirm') return { kind: 'confirm', title: first, detail: others.join('\n') }
  const [, cut] = /^Enter passphrase for (?:key )?'(.+)'/.exec(first) ?? []
  if (cut !== undefined) {
    // ssh cuts a long path off.
    const path =
      parameters.identityFiles.find((file) => file === cut || (cut.length >= 100 && file.startsWith(cut))) ?? cut
    return {
      kind: 'secret',
      title: `Passphrase of ${path}`,
      detail: `To log in as ${account}`,
      name: `passphrase of ${path}`,
    }
  }
  const [, user, host] = /^\(?(\S+)@([^@\s)]+?)(?:'s password:|\) Password:)\s*$/i.exec(first) ?? []
  if (user !== undefined && host !== undefined) {
    const isTarget =
      user === parameters.user && [parameters.host, parameters.alias, parameters.hostKeyAlias].includes(host)
    const asked = isTarget ? account : `${user}@${host}`
    const name = isTarget ? passwordName(parameters) : undefined
    return { kind: 'secret', title: `Password of ${asked}`, detail: `To log in as ${asked}`, name }
  }
  const detail = [...others, `To log in as ${account}`].join('\n')
  return { kind: 'secret', title: first.replace(/\s*:$/, ''), detail, name: undefined }
}

/** On one line, without anything that could move a cursor: some of it comes from the server. */
function plain(words: string): string {
  return words
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_LENGTH)
}
