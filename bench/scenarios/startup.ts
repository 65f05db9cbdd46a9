/**
 * What the plugin adds to Neovim's startup. Neovim starts and quits with `--startuptime`, in turns without the plugin,
 * with it but without default keys, and with it as it comes; the figure is the difference of the medians. Beside it
 * stands what Neovim's log says of sourcing the plugin's only file.
 */
import { readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { PROJECT_ROOT } from '../../scripts/project-root.ts'
import { runOrThrow } from '../../scripts/provision/command.ts'
import { type NeovimLine, type Rig, type Scenario, withEachNeovim } from '../rig.ts'
import type { Line } from '../rows.ts'
import { median } from '../statistics.ts'

export const startup: Scenario = {
  name: 'startup',
  title: "Added to Neovim's startup",
  run: (rig) => withEachNeovim((line) => measure(rig, line)),
}

const WITH_PLUGIN = ['--cmd', `let &runtimepath = '${PROJECT_ROOT.replaceAll("'", "''")},' .. &runtimepath`]
const VARIANTS = {
  without: [],
  keyless: [...WITH_PLUGIN, '--cmd', 'let g:ollama_remote = #{keymaps: v:false}'],
  usual: WITH_PLUGIN,
}

/** A timer, since `-c qa` would end Neovim before it has started. */
const QUIT = ['-c', 'call timer_start(1, {-> execute("qa!")})']

const TARGET_MS = 0.5

interface Start {
  totalMs: number
  /** Spent in the plugin's file; 0 without the plugin. */
  sourcingMs: number
}

type Starts = Record<keyof typeof VARIANTS, Start[]>

async function measure(rig: Rig, line: NeovimLine): Promise<Line[]> {
  const starts: Starts = { without: [], keyless: [], usual: [] }
  const start = await starter(rig, line)
  for (let round = 0; round < rig.settings.startups; round += 1) {
    starts.without.push(await start(VARIANTS.without))
    starts.keyless.push(await start(VARIANTS.keyless))
    starts.usual.push(await start(VARIANTS.usual))
  }
  return [
    row(`${line}: with default keys`, starts.usual, starts.without),
    row(`${line}: with keymaps = false`, starts.keyless, starts.without),
  ]
}

async function starter(rig: Rig, line: NeovimLine): Promise<(more: readonly string[]) => Promise<Start>> {
  const nvim = await rig.neovim(line)
  const folder = await rig.folder()
  const log = join(folder, 'startuptime')
  const homes = ['CONFIG', 'DATA', 'STATE', 'CACHE'].map((name) => [`XDG_${name}_HOME`, join(folder, name)])
  const environment = { ...nvim.environment, ...Object.fromEntries(homes) }
  return async (more) => {
    await rm(log, { force: true })
    await runOrThrow(nvim.path, ['--clean', '-n', '--headless', '--startuptime', log, ...more, ...QUIT], {
      environment,
    })
    return parseStartupLog(await readFile(log, 'utf8'))
  }
}

/** Reads `clock self …: event` lines. */
export function parseStartupLog(text: string): Start {
  const total = /^(\d+\.\d+) .*--- NVIM STARTED ---/m.exec(text)?.[1]
  const sourcing = /^\S+\s+\S+\s+(\S+): sourcing .*plugin\/ollama-remote\.lua$/m.exec(text)?.[1]
  return { totalMs: Number(total), sourcingMs: Number(sourcing ?? 0) }
}

function row(figure: string, starts: readonly Start[], without: readonly Start[]): Line {
  const base = median(without.map(({ totalMs }) => totalMs))
  return {
    figure,
    unit: 'ms',
    ours: median(starts.map(({ totalMs }) => totalMs)) - base,
    also: { 'sourcing its file': median(starts.map(({ sourcingMs }) => sourcingMs)) },
    beside: [{ what: 'whole startup without it', value: base }],
    target: { atMost: TARGET_MS },
  }
}
