/**
 * Fourteen models, five of them out of date, behind a real sshd, and a registry that takes 200 ms for each answer: from the
 * check's asking to its last verdict, then the five pulls, and how late the editor's main loop was throughout. Beside it what
 * the plugin began with: `io.popen` on the main thread, one command of 200 ms for each model.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { INSTANT_PACE } from '../../test/support/ollama-double/behaviour.ts'
import { defineModel } from '../../test/support/ollama-double/models.ts'
import { startOllamaDouble } from '../../test/support/ollama-double/ollama-double.ts'
import { contents, manifestOf } from '../../test/support/registry-double/published.ts'
import { type RegistryDouble, startRegistryDouble } from '../../test/support/registry-double/registry-double.ts'
import { type Editor, startEditor } from '../editor.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line, Row } from '../rows.ts'
import { sample } from '../sampling.ts'
import type { Scope } from '../scope.ts'
import { maximum, percentile } from '../statistics.ts'

export const updates: Scenario = {
  name: 'updates',
  title: 'Fourteen models checked, five of them pulled',
  run: (rig) => withEachNeovim((line) => rig.scope.nested((scope) => measure(rig, line, scope))),
}

const MODELS = Array.from({ length: 14 }, (_, index) => `model-${index}:latest`)
const OUT_OF_DATE = MODELS.slice(0, 5)
const REGISTRY_MS = 200
const CHECK_MS = 1_500
const LOOP_MS = 16
/** Of each pull, so that its bars move for a while. */
const BYTES = 400_000_000
const BYTES_PER_SECOND = 200_000_000

async function measure(rig: Rig, line: NeovimLine, scope: Scope): Promise<Line[]> {
  const editor = await openEditor(rig, line, scope)
  const idle = await sample(editor, () => delay(1_000))
  const checked = await sample(editor, () => check(editor))
  const pulled = await sample(editor, () => pull(editor))
  const { found, ms } = checked.value
  if (found !== OUT_OF_DATE.length) throw new Error(`${found} models were found out of date`)
  const seed = await sample(editor, () => editor.lua(POPEN, MODELS.length, REGISTRY_MS / 1_000))
  const loop = [...checked.loop, ...pulled.loop]
  const rows: Row[] = [
    {
      figure: `${line}: asking → the last of 14 verdicts`,
      unit: 'ms',
      ours: ms,
      beside: [{ what: 'one answer of the registry', value: REGISTRY_MS }],
      target: { atMost: CHECK_MS },
    },
    {
      figure: `${line}: main-loop delay through check and pulls, p99.9`,
      unit: 'ms',
      ours: percentile(loop, 99.9),
      also: { max: maximum(loop), 'five pulls took': pulled.value },
      beside: [
        { what: 'idle', value: percentile(idle.loop, 99.9) },
        { what: 'longest freeze by `io.popen`', value: maximum(seed.loop) },
      ],
      target: { atMost: LOOP_MS },
    },
  ]
  return rows
}

async function openEditor(rig: Rig, line: NeovimLine, scope: Scope): Promise<Editor> {
  const registry = scope.own(await startRegistryDouble({ delayMs: REGISTRY_MS }), (double) => double.stop())
  const models = MODELS.map((name) => defineModel({ name, digest: publish(registry, name) }))
  const pace = { ...INSTANT_PACE, pullBytesPerSecond: BYTES_PER_SECOND }
  const ollama = scope.own(await startOllamaDouble({ ...pace, models }), (double) => double.stop())
  for (const name of OUT_OF_DATE) ollama.publish(defineModel({ name, digest: newDigest(name), sizeBytes: BYTES }))
  const { servers, ...others } = await rig.setup(await rig.destination())
  const ssh = servers?.bench?.ssh
  const setup = { ...others, servers: { bench: { ...(ssh === undefined ? {} : { ssh }), url: ollama.url } } }
  const options = { nvim: await rig.neovim(line), folder: await rig.folder(), setup }
  const environment = registry.environment
  const editor = scope.own(await startEditor({ ...options, environment }), (started) => started.stop())
  await editor.lua(READY)
  await editor.told('ready')
  return editor
}

/** @returns the digest of what is installed */
function publish(registry: RegistryDouble, name: string): string {
  const installed = manifestOf(contents(name, BYTES))
  const isOld = OUT_OF_DATE.includes(name)
  const published = isOld ? manifestOf(contents(`${name} anew`, BYTES)) : installed
  registry.publish(`library/${name.replace(':', '/')}`, { published, pushed: isOld ? 4_000_000_000 : 1_000_000_000 })
  return installed.digest
}

function newDigest(name: string): string {
  return manifestOf(contents(`${name} anew`, BYTES)).digest
}

async function check(editor: Editor): Promise<{ ms: number; found: number }> {
  const told = editor.told<{ ms: number; found: number }>('checked')
  await editor.lua(CHECK)
  return told
}

/** @returns milliseconds until the last pull has ended */
async function pull(editor: Editor): Promise<number> {
  const told = editor.told<number>('pulled')
  await editor.lua(PULL, OUT_OF_DATE)
  return told
}

/** The manager is open throughout, as it would be. */
const READY = `
  local rpc = require('ollama-remote.rpc')
  vim.cmd('Ollama models')
  rpc.request('servers.connect', { server = 'bench' }, function(failure)
    assert(not failure, vim.inspect(failure))
    Bench.tell('ready', true)
  end)
`

const CHECK = `
  local began = Bench.now()
  require('ollama-remote.rpc').request('updates.check', { again = true }, function(failure, found)
    assert(not failure, vim.inspect(failure))
    Bench.tell('checked', { ms = Bench.now() - began, found = found.available })
  end)
`

const PULL = `
  local models = ...
  local began, left = Bench.now(), #models
  local pulls = require('ollama-remote.models.pulls')
  local update = pulls.update
  pulls.update = function(pull)
    update(pull)
    if pull.state == 'done' or pull.state == 'failed' then
      left = left - 1
      if left == 0 then Bench.tell('pulled', Bench.now() - began) end
    end
  end
  for _, model in ipairs(models) do
    require('ollama-remote.rpc').request('pulls.start', { server = 'bench', model = model }, function(failure)
      assert(not failure, vim.inspect(failure))
    end)
  end
`

const POPEN = `
  local count, seconds = ...
  for _ = 1, count do
    local handle = io.popen(('sleep %.3f; echo up to date'):format(seconds))
    handle:read('*a')
    handle:close()
  end
`
