// `make picture`: the README's picture, from the screen of a real Neovim that chats with the demonstration server.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { GridCell, Highlight } from '../test/support/grid.ts'
import { type NeovimDriver, startNeovim } from '../test/support/nvim-driver.ts'
import { type Cell, toSvg } from './picture/svg.ts'
import { PROJECT_ROOT } from './project-root.ts'
import { findNeovim } from './provision/neovim.ts'
import { startDemonstration } from './try/demonstration.ts'

const COLUMNS = 112
const ROWS = 32
/** A file of the project itself, as any user's code would stand beside the chat. */
const CODE = 'src/core/clock.ts'

const nvim = await findNeovim('0.12')
if (nvim.kind === 'missing') throw new Error(nvim.reason)
const folder = mkdtempSync(join(tmpdir(), 'ollama-remote-picture-'))
const world = await startDemonstration(folder)
const driver = await startNeovim(nvim, {
  columns: COLUMNS,
  rows: ROWS,
  args: [CODE],
  init: `vim.g.mapleader = ' ' vim.o.termguicolors = true vim.o.background = 'dark' vim.o.number = true vim.o.laststatus = 0
    require('ollama-remote').setup(vim.json.decode([==[${JSON.stringify(world.setup)}]==]))`,
})
try {
  await chat(driver)
  writeFileSync(join(PROJECT_ROOT, 'doc/chat.svg'), draw(driver))
} finally {
  await driver.quit()
  await world.stop()
  rmSync(folder, { recursive: true, force: true })
}

/** One answered question about a selection, and a second that is being answered while a third is typed. */
async function chat(driver: NeovimDriver): Promise<void> {
  const selection = readFileSync(join(PROJECT_ROOT, CODE), 'utf8').split('\n')
  const first = selection.findIndex((line) => line.includes('sleep: (ms')) + 1
  await driver.waitForScreen(/Injected time/)
  await driver.type(`${first}GV5j oo`)
  await driver.waitForScreen(/send/)
  await driver.type('Can the timer outlive an aborted wait?<Esc><CR>')
  await driver.waitForScreen(/tokens ·.*t\/s/, 30_000)
  await driver.type('iWhat if the signal is aborted already?<Esc><CR>')
  await driver.waitForScreen(/writing/, 30_000)
  await driver.waitForScreen(/> What if the signal is aborted already\?/, 30_000)
  await driver.type('iand who removes the lis')
  await driver.waitForScreen(/and who removes the lis/)
}

function draw(driver: NeovimDriver): string {
  const { cells, highlights } = driver.grid
  const standard: Highlight = { foreground: 0xe0e2ea, background: 0x14161b, ...highlights.get(0) }
  const paint = ({ text, highlight }: GridCell): Cell => {
    const own = { ...standard, ...(highlight === 0 ? {} : highlights.get(highlight)) }
    const [foreground, background] = own.reverse ? [own.background, own.foreground] : [own.foreground, own.background]
    return {
      text,
      style: {
        foreground: css(foreground),
        background: css(background),
        bold: own.bold ?? false,
        italic: own.italic ?? false,
        underline: own.underline ?? false,
      },
    }
  }
  return toSvg(
    cells.map((row) => row.map(paint)),
    css(standard.background),
    'A chat in Neovim: code on the left; on the right the transcript above and the prompt below',
  )
}

function css(color = 0): string {
  return `#${color.toString(16).padStart(6, '0')}`
}
