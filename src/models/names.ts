// The names of models, as Ollama reads them, and where what they name comes from. Pure: nothing is asked.

/** `[http://][host/][namespace/]model[:tag]`, with what was left out filled in. */
export interface ModelName {
  /** With its port, when one was named. */
  host: string
  namespace: string
  model: string
  tag: string
  /** Its host is to be asked without TLS. */
  isPlain: boolean
}

/**
 * Where a model of this name comes from: Ollama's library, a user's namespace there, Hugging Face, another registry, or
 * nowhere, since it runs in the cloud or is no name at all. One that was made on its server has a name like any other.
 */
export type Upstream = 'library' | 'user' | 'hf' | 'other' | 'cloud' | 'none'

const HOST = 'registry.ollama.ai'
const NAMESPACE = 'library'
const TAG = 'latest'

const OLLAMA_HOSTS: readonly string[] = [HOST, 'ollama.com']
const HUGGING_FACE_HOSTS: readonly string[] = ['hf.co', 'huggingface.co']

const HOST_PART = /^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,349}$/
const NAMESPACE_PART = /^[A-Za-z0-9_][A-Za-z0-9_-]{0,79}$/
const PART = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,79}$/

/** `undefined` for what Ollama would refuse. Letters stay as they are. */
export function parseModelName(text: string): ModelName | undefined {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/)?(.*)$/is.exec(text.trim()) ?? []
  // A port's colon stands before a slash, a tag's never does.
  const [, path = '', tag = TAG] = /^(.*?)(?::([^/:]*))?$/s.exec(rest) ?? []
  const [model = '', namespace = NAMESPACE, host = HOST, ...more] = path.split('/').reverse()
  const isSound = HOST_PART.test(host) && NAMESPACE_PART.test(namespace) && PART.test(model) && PART.test(tag)
  if (!isSound || more.length > 0 || (scheme !== undefined && path.split('/').length < 3)) return undefined
  return { host, namespace, model, tag, isPlain: scheme?.toLowerCase() === 'http' }
}

/** Every part of it, in the order in which they are written. */
export function fullName({ host, namespace, model, tag, isPlain }: ModelName): string {
  return `${isPlain ? 'http://' : ''}${host}/${namespace}/${model}:${tag}`
}

/** As Ollama shows it: without the host and namespace that are meant anyway, the tag always there. */
export function shortName(name: ModelName): string {
  const isUsualHost = same(name.host, HOST) && !name.isPlain
  if (!isUsualHost) return fullName(name)
  const path = same(name.namespace, NAMESPACE) ? name.model : `${name.namespace}/${name.model}`
  return `${path}:${name.tag}`
}

/** The same for all ways to write a model's name; what is no name stands for itself. */
export function canonicalName(text: string): string {
  const name = parseModelName(text)
  return (name ? fullName(name) : text).toLowerCase()
}

export function upstreamOf(text: string): Upstream {
  const name = parseModelName(text)
  if (!name) return 'none'
  if (/^(?:.*-)?cloud$/i.test(name.tag)) return 'cloud'
  const host = name.host.toLowerCase()
  if (OLLAMA_HOSTS.includes(host)) return same(name.namespace, NAMESPACE) ? 'library' : 'user'
  return HUGGING_FACE_HOSTS.includes(host) ? 'hf' : 'other'
}

/** Names are looked up without regard to capitals. */
function same(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase()
}
