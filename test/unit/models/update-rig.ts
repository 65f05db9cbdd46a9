// A check for updates without a network: what the web answers is a table, or a web of the test's own.
import type { Clock } from '../../../src/core/clock.ts'
import { systemClock } from '../../../src/core/clock.ts'
import { PluginError } from '../../../src/core/errors.ts'
import { silentLog } from '../../../src/core/log.ts'
import type { Run } from '../../../src/models/local-manifests.ts'
import { UpdateCheck } from '../../../src/models/update-check.ts'
import { VerdictMemory } from '../../../src/models/verdict-memory.ts'
import type { KeptVerdicts, VerdictsFile } from '../../../src/models/verdicts-file.ts'
import type { Web, WebPlace, WebResponse } from '../../../src/models/web.ts'
import type { Model } from '../../../src/providers/provider.ts'
import type { UpdateRow } from '../../../src/rpc/shapes.ts'

export type Answers = Readonly<Record<string, Partial<WebResponse> | Error>>

/** Answers by `METHOD url`; all else is not to be reached. */
export function fakeWeb(answers: Answers): Web & { asked: string[] } {
  const asked: string[] = []
  return {
    asked,
    request: async ({ method, url }) => {
      asked.push(`${method} ${url.href}`)
      const answer = answers[`${method} ${url.href}`]
      if (answer instanceof Error) throw answer
      if (answer) return { status: 200, headers: {}, body: new Uint8Array(), ...answer }
      throw new PluginError('REGISTRY_UNREACHABLE', 'its name is not known', { hint: 'updates.from says from where.' })
    },
    close: () => {},
  }
}

export function memoryFile(kept: KeptVerdicts = {}): VerdictsFile & { kept: KeptVerdicts } {
  const file = {
    kept,
    read: async () => structuredClone(file.kept),
    write: async (verdicts: KeptVerdicts) => {
      file.kept = structuredClone(verdicts)
    },
  }
  return file
}

export interface UpdateRigOptions {
  web?: Answers | Web
  models?: readonly Model[] | Readonly<Record<string, readonly Model[] | PluginError>>
  places?: (server: string) => readonly WebPlace[]
  run?: Run
  file?: VerdictsFile
  clock?: Clock
  /** Told of each row, as `server:model`. */
  onRow?: (model: string, row: UpdateRow) => void
}

export function updateCheck(options: UpdateRigOptions): UpdateCheck {
  const { web = {}, models = [], onRow, clock = systemClock } = options
  const here = 'request' in web ? (web as Web) : fakeWeb(web as Answers)
  const installed = Array.isArray(models)
    ? { gpu: models as Model[] }
    : (models as Record<string, Model[] | PluginError>)
  return new UpdateCheck({
    servers: () => Object.keys(installed),
    locate: (reference) => ({ server: 'gpu', model: reference.replace(/^gpu:/, '') }),
    models: async (server) => {
      const found = installed[server]
      if (found instanceof PluginError) throw found
      return found ?? []
    },
    places: options.places ?? (() => [{ name: 'here', web: here, isTheirs: false }]),
    run: () =>
      options.run ??
      (async () => {
        throw new Error('No command is run here')
      }),
    onModels: () => {},
    onVerdict: (server, model, row) => onRow?.(`${server}:${model}`, row),
    verdicts: new VerdictMemory({ file: options.file ?? memoryFile(), clock, log: silentLog }),
    clock,
    log: silentLog,
  })
}
