// What a user may write, what the code reads, and the one function that turns the first into the second.
// Descriptions here are the manual's: a test compares the help file with them.
import * as z from 'zod'
import { PluginError } from '../core/errors.ts'

/** An IPv6 address is the only one with colons in it; a leading `-` would be an option of ssh. */
const HOST = /^(?:[^\s@/:-][^\s@/:]*|(?=.*:.*:)[\da-fA-F:.]+(?:%[^\s@/]+)?)$/

/** Where Ollama listens when nobody told it otherwise. */
export const DEFAULT_URL = 'http://127.0.0.1:11434'

const port = z.int().min(1).max(65_535)

const sshOptions = z
  .strictObject({
    host: z
      .string()
      .regex(HOST, 'expected a host name, an address or an alias')
      .describe('Host name, address, or an alias of ~/.ssh/config'),
    port: port.optional().describe('Port of the SSH server'),
    user: z.string().min(1).optional().describe('User on the SSH server'),
    auth: z
      .array(z.enum(['agent', 'key', 'keyboard-interactive', 'password']))
      .min(1)
      .optional()
      .describe('The ways to log in that may be used; by default all that ~/.ssh/config allows'),
    identity_file: z.string().min(1).optional().describe('Private key to offer first'),
    jump: z
      .string()
      .min(1)
      .optional()
      .describe("Hosts to go through, as ssh's -J takes them: `me@gate,inner:2222`; `none` for none"),
    known_hosts: z.string().min(1).optional().describe("File of known host keys, in place of the user's own"),
    connect_timeout: z.number().positive().default(15).describe('Seconds until a silent SSH server is given up'),
    login_timeout: z
      .number()
      .positive()
      .default(15)
      .describe('Seconds a login may take, without the time in which you are asked'),
    channel_timeout: z
      .number()
      .positive()
      .default(8)
      .describe('Seconds until a channel that does not open is given up'),
    transport: z
      .enum(['auto', 'ssh2', 'openssh'])
      .default('auto')
      .describe('`ssh2` inside the host, `openssh` by the ssh program; `auto` takes the second where the first cannot'),
    nudge: z
      .boolean()
      .default(true)
      .describe('Whether `true` is run on an OpenSSH before 10.1, so that it sends each word of an answer at once'),
  })
  .describe('How the server is reached by SSH')

const serverOptions = z
  .strictObject({
    ssh: z
      .union([z.string().transform(parseDestination).pipe(sshOptions), sshOptions], 'expected `user@host` or a table')
      .optional()
      .describe('`user@host`, an alias of ~/.ssh/config, or a table; without it the url is dialled directly'),
    url: z
      .union(
        [z.url({ protocol: /^https?$/ }), z.string().regex(/^unix:\/./)],
        'expected http://…, https://… or unix:/path',
      )
      .default(DEFAULT_URL)
      .describe("Ollama's address as seen from the SSH server, or from here without ssh; `unix:/path` for a socket"),
    ca_file: z.string().min(1).optional().describe('Certificates to trust for an https url besides the usual ones'),
  })
  .describe('One server with Ollama on it')

const think = z.union(
  [z.boolean(), z.enum(['low', 'medium', 'high', 'max'])],
  'expected true, false, low, medium, high or max',
)

/** Everything a user may write, in `setup()` or in `ollama_config.lua`; unknown keys are errors with their path. */
export const userConfigSchema = z.strictObject({
  servers: z
    .record(z.string().regex(/^[A-Za-z0-9_-]+$/, 'a server is named with letters, digits, - and _'), serverOptions)
    .optional()
    .describe('Servers by name; a model is then `name:model`'),
  default_server: z
    .string()
    .optional()
    .describe('The server meant by a bare model name; the first by name when absent'),
  default_model: z.string().min(1).optional().describe('The model of a new chat; `<leader>od` chooses and keeps it'),
  system: z.string().optional().describe('System prompt of a new chat'),
  options: z
    .record(z.string(), z.unknown())
    .optional()
    .describe("Ollama's options for every request, as num_ctx or temperature"),
  think: think.optional().describe('Whether and how hard a model thinks; by default as it can'),
  keep_alive: z
    .union([z.string(), z.number()], "expected a duration as '10m', or seconds")
    .optional()
    .describe("How long a model stays loaded, as '10m'; by default as the server is set"),
  split_preference: z
    .enum(['vertical', 'horizontal', 'float', 'tab', 'current'])
    .optional()
    .describe(
      'Where the chat opens: `vertical` beside, `horizontal` below, `float` over all, `tab` in a tab page, `current` in the window; `<leader>ov` and `<leader>oh` choose and keep it',
    ),
  picker: z
    .enum(['auto', 'select', 'telescope', 'fzf-lua', 'snacks', 'mini', 'fzf'])
    .optional()
    .describe(
      "What lists are shown with, see |ollama-remote-pickers|; `auto` by default: your own picker, else fzf, else Neovim's own list",
    ),
  autosave: z.boolean().optional().describe('Whether chats are saved by themselves; `true` by default'),
  title: z
    .enum(['model', 'first-line'])
    .optional()
    .describe('What a chat is called that is saved by itself: as its model says when idle, or by its first line'),
  keep_days: z
    .union([z.number().positive(), z.literal(false)], 'expected a number of days, or `false`')
    .optional()
    .describe('Days after which a saved chat goes to the trash, `false` for never; 30 by default'),
  keymaps: z
    .union(
      [z.literal(false), z.record(z.string(), z.union([z.string(), z.literal(false)], 'expected a key or `false`'))],
      'expected a table or `false`',
    )
    .optional()
    .describe('Keys by action, `false` for none'),
  node: z.string().optional().describe('The Node.js binary (>= 20.18.1)'),
  resume: z
    .enum(['auto', 'ask', 'never'])
    .optional()
    .describe(
      'Whether an answer that a lost link or a dead host cut is continued when they are back; `auto` by default',
    ),
  updates: z
    .strictObject({
      from: z
        .array(z.enum(['here', 'server']))
        .min(1)
        .default(['here', 'server'])
        .describe('From where registries are asked whether a model is out of date, tried in this order'),
      pulls: z.int().min(1).max(8).default(1).describe('How many models a server pulls at a time'),
      names: z
        .array(z.string().min(1))
        .default([])
        .describe('Names of models to offer for pulling, besides the well-known ones'),
    })
    .optional()
    .describe('How models are kept up to date'),
  log: z
    .strictObject({
      level: z.enum(['debug', 'info', 'warn', 'error']).default('info').describe('How much `:Ollama log` holds'),
      content: z.boolean().default(false).describe('Whether prompts and answers stand in it too'),
    })
    .optional()
    .describe('The log'),
  last_updated: z.string().optional().describe('When the plugin last wrote this file'),
})

export type UserConfig = z.input<typeof userConfigSchema>

export interface SshTarget {
  host: string
  port: number | undefined
  user: string | undefined
  /** `undefined`: all that ssh_config allows. */
  auth: readonly ('agent' | 'key' | 'keyboard-interactive' | 'password')[] | undefined
  identityFile: string | undefined
  /** As `-J` takes it, or `none`; it goes before ProxyJump of ssh_config. */
  jump: string | undefined
  knownHostsFile: string | undefined
  connectTimeoutMs: number
  loginTimeoutMs: number
  channelTimeoutMs: number
  transport: 'auto' | 'ssh2' | 'openssh'
  nudge: boolean
}

export interface ServerConfig {
  name: string
  /** Absent: the url is dialled directly. */
  ssh: SshTarget | undefined
  /** `http:`, `https:`, or `unix:` with the socket's path. */
  url: URL
  /** Certificates to trust for `https:`, besides the usual ones. */
  caFile: string | undefined
}

/** What code reads: everything present. */
export interface Config {
  /** Never empty; the default server is first. */
  servers: readonly ServerConfig[]
  defaultModel: string | undefined
  system: string | undefined
  options: Readonly<Record<string, unknown>>
  think: z.output<typeof think> | undefined
  keepAlive: string | number | undefined
  resume: 'auto' | 'ask' | 'never'
  autosave: boolean
  title: 'model' | 'first-line'
  keepDays: number | false
  updates: { from: readonly ('here' | 'server')[]; pulls: number; names: readonly string[] }
  log: { level: 'debug' | 'info' | 'warn' | 'error'; content: boolean }
}

/** The server that is there when none is configured: Ollama on this machine. */
const LOCAL_SERVER: ServerConfig = {
  name: 'local',
  ssh: undefined,
  url: new URL(DEFAULT_URL),
  caFile: undefined,
}

/**
 * Checks and completes what the user wrote.
 * @param source where it was written, for the error's sentence.
 * @throws PluginError CONFIG_INVALID naming every bad key by its path.
 */
export function resolveConfig(written: unknown, source: string): Config {
  const parsed = userConfigSchema.safeParse(written)
  if (!parsed.success) throw invalid(parsed.error, source)
  const user = parsed.data
  return {
    servers: resolveServers(user, source),
    defaultModel: user.default_model,
    system: user.system?.trim() ? user.system : undefined,
    options: user.options ?? {},
    think: user.think,
    keepAlive: user.keep_alive,
    resume: user.resume ?? 'auto',
    autosave: user.autosave ?? true,
    title: user.title ?? 'model',
    keepDays: user.keep_days ?? 30,
    updates: user.updates ?? { from: ['here', 'server'], pulls: 1, names: [] },
    log: user.log ?? { level: 'info', content: false },
  }
}

function resolveServers(user: z.output<typeof userConfigSchema>, source: string): ServerConfig[] {
  const servers = Object.entries(user.servers ?? {}).map(([name, server]) => ({
    name,
    ssh: server.ssh === undefined ? undefined : resolveSsh(server.ssh),
    url: new URL(server.url),
    caFile: server.ca_file,
  }))
  const wanted = user.default_server
  if (wanted !== undefined && !servers.some((server) => server.name === wanted)) {
    throw new PluginError('CONFIG_INVALID', `${source}: default_server names "${wanted}", which is not in servers`, {
      hint: 'Name one of the keys of servers.',
    })
  }
  if (servers.length === 0) return [LOCAL_SERVER]
  // A Lua table has no order of its own, so without a default the names decide which is first.
  return servers.toSorted((a, b) => Number(b.name === wanted) - Number(a.name === wanted) || (a.name < b.name ? -1 : 1))
}

function resolveSsh(options: z.output<typeof sshOptions>): SshTarget {
  return {
    host: options.host,
    port: options.port,
    user: options.user,
    auth: options.auth,
    identityFile: options.identity_file,
    jump: options.jump,
    knownHostsFile: options.known_hosts,
    connectTimeoutMs: options.connect_timeout * 1000,
    loginTimeoutMs: options.login_timeout * 1000,
    channelTimeoutMs: options.channel_timeout * 1000,
    transport: options.transport,
    nudge: options.nudge,
  }
}

/** `[user@]host[:port]`, also with `ssh://` before it and an IPv6 address in brackets. As in ssh, the last `@` ends the user. */
export function parseDestination(written: string): z.input<typeof sshOptions> {
  const [, user, place = ''] = /^(?:ssh:\/\/)?(?:(.*)@)?(.*?)\/?$/s.exec(written) ?? []
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(place) ?? []
  return { host: bracketed ?? plain ?? place, port: digits === undefined ? undefined : Number(digits), user }
}

/** The same written again. */
export function destinationOf({ user, host, port }: Pick<SshTarget, 'user' | 'host' | 'port'>): string {
  const place = port !== undefined && host.includes(':') ? `[${host}]` : host
  return `${user === undefined ? '' : `${user}@`}${place}${port === undefined ? '' : `:${port}`}`
}

function invalid(error: z.ZodError, source: string): PluginError {
  const lines = error.issues.flatMap(nearestIssues).map((issue) => {
    const path = issue.path.join('.')
    if (issue.code !== 'unrecognized_keys') return `${path || 'the whole'}: ${issue.message}`
    return `unknown option ${issue.keys.map((key) => (path ? `${path}.${key}` : key)).join(', ')}`
  })
  return new PluginError('CONFIG_INVALID', `${source}: ${lines.join('; ')}`, {
    hint: 'See :help ollama-remote-configuration for what may stand there.',
  })
}

/** Of a choice between kinds, what is wrong within the kind that was written; of a bad name, why it is bad. */
function nearestIssues(issue: z.core.$ZodIssue): z.core.$ZodIssue[] {
  if (issue.code === 'invalid_key') return [{ ...issue, message: issue.issues[0]?.message ?? issue.message }]
  if (issue.code !== 'invalid_union') return [issue]
  const within = issue.errors.find((choice) =>
    choice.some(({ path, code }) => path.length > 0 || code === 'unrecognized_keys'),
  )
  return within?.flatMap((inner) => nearestIssues({ ...inner, path: [...issue.path, ...inner.path] })) ?? [issue]
}
