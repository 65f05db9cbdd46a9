// When a fault strikes: how a stage is brought to that moment, and from when its time counts.
import { STEPWISE } from '../nvim/chat/world.ts'
import type { Behaviour } from '../support/ollama-double/behaviour.ts'
import type { Fault, Moment } from './fault.ts'
import { FIRST_PIECE, PIECES, type Stage } from './stage.ts'

const LOAD_MS = 1_000

/** Brings the stage there and strikes; gives the moment from which on the user could know: the fault's, or the prompt's. */
export async function strikeAt(stage: Stage, fault: Fault): Promise<number> {
  let struck = 0
  await MOMENTS[fault.moment](
    stage,
    async () => {
      stage.recorder.forget()
      struck = performance.now()
      await fault.strike(stage)
    },
    { pieces: PIECES, ...fault.behaviour },
  )
  return fault.moment === 'first prompt' || fault.moment === 'idle, then a prompt' ? performance.now() : struck
}

type Bring = (stage: Stage, strike: () => Promise<void>, behaviour: Behaviour) => Promise<void>

const MOMENTS: Record<Moment, Bring> = {
  'first prompt': async ({ world }, strike) => {
    await strike()
    await world.open()
    await world.send('what')
  },
  'idle, then a prompt': async ({ world }, strike) => {
    await world.open()
    world.ollama.script({ pieces: ['First of all.'] })
    await world.ask('one')
    await strike()
    await world.send('what')
  },
  'before the first byte': async ({ world }, strike, behaviour) => {
    await world.open()
    world.ollama.script({ ...STEPWISE, loadMs: LOAD_MS, ...behaviour })
    await world.send('what')
    await world.nvim.waitForScreen(/loading model/)
    // A request that has not left yet would be sent again.
    await world.waitForWork()
    await strike()
  },
  'with the first byte': async ({ world }, strike, behaviour) => {
    await world.open()
    world.ollama.script({ ...STEPWISE, loadMs: LOAD_MS, ...behaviour })
    await world.send('what')
    await world.nvim.waitForScreen(/loading model/)
    // A request that has not left yet would be sent again.
    await world.waitForWork()
    await strike()
    world.clock.advance(LOAD_MS)
  },
  'in mid-answer': async ({ world }, strike, behaviour) => {
    await world.open()
    world.ollama.script({ ...STEPWISE, ...behaviour })
    await world.send('what')
    await world.nvim.waitForScreen(new RegExp(FIRST_PIECE.trim()))
    await strike()
  },
}
