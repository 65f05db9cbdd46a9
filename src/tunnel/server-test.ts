// The way to a server, gone once for a person to see: each stage with its time, and what is wrong where it ends. It has a
// connection of its own, so the living one is neither used nor disturbed. Who shows the steps is not here.
import type { ServerConfig } from '../config/schema.ts'
import { type ErrorCode, PluginError, toPluginError } from '../core/errors.ts'
import type { Http, Provider } from '../providers/provider.ts'
import { type ConnectDependencies, connectServer } from './connect.ts'
import { DirectLink } from './direct.ts'
import { TunnelHttp } from './http/http.ts'
import { authoritiesOf, placeOf } from './server.ts'
import type { Link, Milestone, Prompts, Session } from './transport.ts'

export type TestStage = Milestone['stage'] | 'channel' | 'http' | 'version' | 'models'

export interface TestStep {
  stage: TestStage
  /** The host it concerns. */
  hop?: string
  /** Milliseconds, without the time in which a person was asked. */
  ms: number
  detail?: string
  /** Only of the last step. */
  error?: PluginError
}

export interface ServerTestDependencies extends ConnectDependencies {
  /** Who speaks with the server over HTTP. */
  provider: (http: Http) => Pick<Provider, 'version' | 'models'>
  connect?: typeof connectServer | undefined
}

/** Time that each question to Ollama may take; SSH has timeouts of its own. */
const ANSWER_MS = 10_000

/** In the order of the way. */
const STAGES: readonly TestStage[] = [
  'configuration',
  'resolve',
  'tcp',
  'host-key',
  'authentication',
  'channel',
  'http',
  'version',
  'models',
]

/** Where the way ended, if the code alone tells it. */
const STAGE_OF: Partial<Record<ErrorCode, TestStage>> = {
  SSH_CONFIG_INVALID: 'configuration',
  SSH_UNSUPPORTED: 'configuration',
  SSH_HOST_NOT_FOUND: 'resolve',
  SSH_UNREACHABLE: 'tcp',
  SSH_NO_COMMON_ALGORITHM: 'host-key',
  SSH_HOST_KEY_UNKNOWN: 'host-key',
  SSH_HOST_KEY_CHANGED: 'host-key',
  SSH_HOST_KEY_REVOKED: 'host-key',
  SSH_KEY_UNSUPPORTED: 'authentication',
  SSH_PASSPHRASE_WRONG: 'authentication',
  SSH_AUTH_FAILED: 'authentication',
  SSH_AUTH_CANCELLED: 'authentication',
  SSH_FORWARDING_DENIED: 'channel',
  SSH_CHANNEL_ERROR: 'channel',
}

/**
 * Goes the way to the end, or to the first thing that is wrong, which is then the last step's error.
 * @throws the signal's reason when it is aborted.
 */
export async function testServer(
  config: ServerConfig,
  dependencies: ServerTestDependencies,
  { signal, onStep }: { signal: AbortSignal; onStep: (step: TestStep) => void },
): Promise<TestStep[]> {
  signal.throwIfAborted()
  return new Walk(config, dependencies, signal, onStep).go()
}

class Walk {
  readonly #config: ServerConfig
  readonly #dependencies: ServerTestDependencies
  readonly #signal: AbortSignal
  readonly #onStep: (step: TestStep) => void
  readonly #steps: TestStep[] = []
  #since: number
  #isUp = false
  #ends: (() => void)[] = []

  constructor(
    config: ServerConfig,
    dependencies: ServerTestDependencies,
    signal: AbortSignal,
    onStep: (step: TestStep) => void,
  ) {
    this.#config = config
    this.#dependencies = { ...dependencies, prompts: this.#notCounting(dependencies.prompts) }
    this.#signal = signal
    this.#onStep = onStep
    this.#since = dependencies.clock.now()
  }

  async go(): Promise<TestStep[]> {
    try {
      const link = this.#config.ssh ? await this.#throughSsh() : this.#direct()
      await this.#askOllama(link)
    } catch (thrown) {
      this.#signal.throwIfAborted()
      this.#fail(toPluginError(thrown))
    } finally {
      for (const end of this.#ends) end()
    }
    return this.#steps
  }

  async #throughSsh(): Promise<Link> {
    const target = this.#config.ssh
    if (!target) throw new PluginError('INTERNAL', 'There is no ssh in this configuration')
    const session = await (this.#dependencies.connect ?? connectServer)(target, this.#dependencies, {
      signal: this.#signal,
      onPhase: () => {},
      onMilestone: (milestone) => this.#add(milestone),
    })
    this.#ends.push(() => session.end())
    this.#isUp = true
    const { login, address: hop } = session.facts
    // A ControlMaster of the user's is logged in already.
    if (this.#steps.at(-1)?.stage !== 'authentication') {
      this.#add({ stage: 'authentication', hop, ...(login === undefined ? {} : { detail: login }) })
    }
    return this.#withChannel(session)
  }

  /** Opens the channel that the first request then finds ready. */
  async #withChannel(session: Session): Promise<Link> {
    const { host, port } = placeOf(this.#config.url)
    const first = await session.open(host, port, this.#signal)
    this.#ends.unshift(() => first.destroy())
    const { transport, reason } = session.facts
    const by = transport === 'ssh2' ? [] : ['by the ssh program', reason]
    const place = host.startsWith('/') ? host : `${host}:${port}`
    this.#add({ stage: 'channel', detail: [place, ...by].filter((word) => word !== undefined).join(', ') })
    const ready = [first]
    return {
      ready: async () => {},
      open: async (...where) => ready.pop() ?? session.open(...where),
      close: () => session.end(),
    }
  }

  #direct(): Link {
    const link = new DirectLink({ onMilestone: (milestone) => this.#passOnce(milestone) })
    this.#ends.push(() => link.close())
    return link
  }

  async #askOllama(link: Link): Promise<void> {
    const { url } = this.#config
    const http = new TunnelHttp({ link, url, authorities: authoritiesOf(this.#config, this.#dependencies) })
    this.#ends.unshift(() => http.close())
    const { status } = await this.#inTime(async (signal) => {
      const response = await http.request({ method: 'GET', path: '/api/version', signal })
      for await (const _ of response.body);
      return response
    })
    this.#add({ stage: 'http', detail: `${url.protocol === 'https:' ? 'TLS, ' : ''}status ${status}` })
    const provider = this.#dependencies.provider(http)
    this.#add({ stage: 'version', detail: `Ollama ${await this.#inTime((signal) => provider.version(signal))}` })
    const models = await this.#inTime((signal) => provider.models(signal))
    this.#add({ stage: 'models', detail: models.length === 0 ? 'none yet' : String(models.length) })
  }

  async #inTime<T>(ask: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const late = new AbortController()
    const done = new AbortController()
    this.#dependencies.clock.sleep(ANSWER_MS, done.signal).then(
      () => late.abort(tooLate(this.#config)),
      () => {},
    )
    try {
      return await ask(AbortSignal.any([this.#signal, late.signal]))
    } finally {
      done.abort()
    }
  }

  /** Each further channel of a direct server dials again, which is no step of the way. */
  #passOnce(step: Milestone): void {
    if (!this.#steps.some(({ stage }) => stage === step.stage || stage === 'tcp')) this.#add(step)
  }

  #fail(error: PluginError): void {
    const hop = this.#hopInQuestion()
    this.#add({ stage: STAGE_OF[error.code] ?? this.#nextStage(), ...(hop === undefined ? {} : { hop }), error })
  }

  #add(step: Omit<TestStep, 'ms'>): void {
    const now = this.#dependencies.clock.now()
    const whole = { ...step, ms: Math.max(0, now - this.#since) }
    this.#since = now
    this.#steps.push(whole)
    this.#onStep(whole)
  }

  /** A name that is an address is not looked up: of a way that has not begun to be dialled, dialling comes next. */
  #nextStage(): TestStage {
    const last = this.#steps.at(-1)?.stage
    if (last === undefined) return this.#config.ssh ? 'configuration' : 'tcp'
    if (last === 'configuration') return 'tcp'
    if (last === 'authentication' && !this.#isUp) return 'tcp'
    if (last === 'tcp' && !this.#config.ssh) return 'http'
    return STAGES[STAGES.indexOf(last) + 1] ?? last
  }

  /** The configuration is asked from the far end to the near one; the way is gone the other way round. */
  #hopInQuestion(): string | undefined {
    if (this.#isUp) return undefined
    const hops = (wanted: TestStage) => this.#steps.filter(({ stage }) => stage === wanted).map(({ hop }) => hop)
    const behind = hops('authentication')
    return hops('configuration').findLast((hop) => !behind.includes(hop))
  }

  /** A person who looks a password up is not a slow server. */
  #notCounting(prompts: Prompts): Prompts {
    const timed = async <T>(ask: () => Promise<T>): Promise<T> => {
      const from = this.#now()
      try {
        return await ask()
      } finally {
        this.#since += this.#now() - from
      }
    }
    return {
      secret: (question, signal) => timed(() => prompts.secret(question, signal)),
      choose: (question, signal) => timed(() => prompts.choose(question, signal)),
    }
  }

  #now(): number {
    return this.#dependencies.clock.now()
  }
}

function tooLate({ name }: ServerConfig): PluginError {
  return new PluginError(
    'API_UNAVAILABLE',
    `${name} takes the connection, but did not answer in ${ANSWER_MS / 1000} s`,
    {
      hint: "Is that port Ollama's? Look at it on the server: ollama ps",
    },
  )
}
