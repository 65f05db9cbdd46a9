import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { PROJECT_ROOT } from '../../../scripts/project-root.ts'
import { startNeovim } from '../../support/nvim-driver.ts'
import { describeWithNeovim } from '../../support/real-parts.ts'

describeWithNeovim('the help file', (binary) => {
  const folder = mkdtempSync(join(tmpdir(), 'ollama-remote-help-'))
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('is clean for :helptags, and every link in it leads somewhere', async () => {
    cpSync(join(PROJECT_ROOT, 'doc/ollama-remote.txt'), join(folder, 'doc/ollama-remote.txt'))
    const nvim = await startNeovim(binary)
    await nvim.command(`helptags ${folder}/doc`)
    await nvim.command(`set runtimepath+=${folder}`)
    const links = new Set([...readFileSync(join(folder, 'doc/ollama-remote.txt'), 'utf8').matchAll(/\|([^\s|]+)\|/g)])
    expect(links.size).toBeGreaterThan(10)
    for (const [, link] of links) await nvim.command(`help ${link}`)
    await nvim.command('help ollama-remote-servers.ssh')
    await nvim.quit()
  })
})
