// A few of the cuts through a real Neovim: what stands in its buffer in the end is the text of an answer that was never cut.
import { expect, test } from 'vitest'
import { sharedSshd } from '../nvim/chat/world.ts'
import { systemClock } from '../support/ollama-double/clock.ts'
import { piecesOf } from '../support/ollama-double/pieces.ts'
import { describeWithSshd, neovims } from '../support/real-parts.ts'
import { textToCut } from './cut-text.ts'
import type { CutsSeen } from './cuts.ts'
import { leaksInUse, leave } from './leaks.ts'
import { Random } from './random.ts'
import { keepResults } from './results.ts'
import { Stage } from './stage.ts'

const ANSWERS = 25
const TOKENS_PER_SECOND = 200
/** Of the server, for each piece of an answer: about as much. */
const BYTES_OF_PIECE = 150
const PATIENCE_MS = 60_000

describeWithSshd('cuts of a streamed answer in Neovim', (openssh) => {
  const sshd = sharedSshd(openssh)

  test('its buffer holds the whole text', async () => {
    const nvim = neovims().at(-1)?.nvim
    if (!nvim) return
    const seed = Number(process.env.CUTS_SEED) || Date.now() % 1_000_000
    const random = new Random(seed)
    const stage = await Stage.build({ nvim, openssh, sshd: sshd() })
    await stage.populate({ ollama: { clock: systemClock } })
    const { world, proxy } = stage
    const wrong: string[] = []
    let cuts = 0
    await world.open()
    for (let number = 1; number <= ANSWERS; number++) {
      const text = textToCut(random)
      const pieces = piecesOf(text)
      world.ollama.scriptAll({ pieces, tokensPerSecond: TOKENS_PER_SECOND })
      proxy.after('down', random.whole(1, pieces.length * BYTES_OF_PIECE), () => {
        cuts++
        proxy.cut()
      })
      await world.send(`question ${number}`)
      const isWhole = async () => {
        const { turns, state } = await stage.look()
        return turns.length === 2 * number && turns.at(-1)?.text === text && state.phase === 'idle'
      }
      if (!(await stage.until(isWhole, PATIENCE_MS)))
        wrong.push(`${text}\n\nwas to stand in\n\n${await world.transcript()}`)
      await proxy.mend()
    }
    const leaks = [...(await leaksInUse(stage)), ...(await leave(stage))]
    const name = 'takes up what is begun, through a real Neovim'
    const equal = ANSWERS - wrong.length
    const seen: CutsSeen = { name, seed, cuts, answers: ANSWERS, equal, marked: 0, wrong, leaks }
    keepResults('cuts-in-neovim', [seen])
    expect(seen, `CUTS_SEED=${seed}`).toMatchObject({ wrong: [], leaks: [] })
  }, 1_800_000)
})
