// Plays one row: brings the stage to its moment, strikes, watches what the user gets to know, mends, and asks on. What it
// must come to is judged here too. Not here: which rows there are (rows/), how they are shown (report.ts).
import { onTestFinished } from 'vitest'
import type { Fault, Seen } from './fault.ts'
import { leaksInUse, leave } from './leaks.ts'
import { strikeAt } from './moments.ts'
import type { Namespace } from './namespace.ts'
import type { Sign } from './recorder.ts'
import { FIRST_PIECE, type Look, type Parts, Stage, WHOLE } from './stage.ts'
import { playTheEnd } from './the-end.ts'
import { codeOf, leftIn, wordsRead } from './words.ts'

/** Of a loaded machine. */
const GRACE_MS = 1_000
const CODE_AFTER_SIGN_MS = 5_000
const KNOWING_MS = 60_000
const RESTING_MS = 45_000
/** A link that was lost is tried again by itself, with pauses that grow: so long the next prompt may take. */
const ANSWERING_MS = 40_000
/** For whatever happens by itself after a chat has come to rest. */
const AFTERWARDS_MS = 1_500

type Played = Omit<Seen, 'name' | 'how' | 'moment' | 'notRun'>

export async function play(fault: Fault, parts: Parts, namespace?: Namespace): Promise<Played> {
  const stage = await Stage.build(parts, namespace)
  if (fault.sshd) await configure(parts, fault.sshd)
  await stage.populate(await fault.world?.(stage), fault.words)
  const struck = await strikeAt(stage, fault)
  if (fault.isTheEnd) return playTheEnd(stage)
  await fault.gestures?.(stage)
  const since = fault.gestures ? performance.now() : struck
  const sign = await firstSign(stage, fault)
  const told = await toldOf(stage, fault)
  await stage.proxy.mend()
  await fault.mend?.(stage)
  const later = await rested(stage)
  const answered = await stage.next(ANSWERING_MS)
  const leaks = [...(await leaksInUse(stage)), ...(await leave(stage))]
  const code = codeOf(stage.recorder.signs, told, fault.codes)
  const { signs } = stage.recorder
  const read = sign && sign.words !== '' ? wordsRead(told, code, signs) : undefined
  const seen: Played = {
    ...(sign ? { knownMs: Math.max(0, sign.at - since) } : {}),
    ...(code === undefined ? {} : { code }),
    ...(read === undefined ? {} : { read }),
    left: leftIn(told),
    byItself: byItself(fault, told, later, sign),
    nextPrompt: answered === undefined ? 'not answered' : 'answered',
    leaks,
    problems: [],
  }
  return { ...seen, problems: problemsOf(fault, seen, { told, later }) }
}

async function configure({ sshd }: Parts, config: readonly string[]): Promise<void> {
  await sshd.restart({ config })
  onTestFinished(() => sshd.restart({ config: [] }))
}

/** A whole answer is a sign too: that the fault is survived. */
async function firstSign(stage: Stage, fault: Fault): Promise<Sign | undefined> {
  let sign: Sign | undefined
  const isSilent = fault.codes.length === 0 && !fault.words
  const look = async () => {
    sign = isSilent ? undefined : stage.recorder.signs[0]
    if (!sign && isWhole(await stage.look())) sign = { words: '', isCode: false, at: performance.now() }
    return sign !== undefined
  }
  await stage.until(look, KNOWING_MS)
  return sign
}

/** What is read once there is a code: a first sign may come before it. */
async function toldOf(stage: Stage, { codes }: Fault): Promise<Look> {
  const hasCode = () => stage.recorder.signs.some(({ isCode }) => isCode)
  const isOver = async () => {
    const look = await stage.look()
    return codes.length === 0 || hasCode() || look.state.waiting !== undefined || isWhole(look)
  }
  await stage.until(isOver, CODE_AFTER_SIGN_MS)
  await stage.until(async () => ['idle', 'waiting'].includes((await stage.look()).state.phase), AFTERWARDS_MS)
  return stage.look()
}

async function rested(stage: Stage): Promise<Look> {
  const isAtRest = async () => {
    const { state } = await stage.look()
    return state.phase === 'idle' && state.queued === 0
  }
  await stage.until(isAtRest, RESTING_MS)
  await stage.until(async () => isWhole(await stage.look()) || !(await isAtRest()), AFTERWARDS_MS)
  await stage.until(isAtRest, RESTING_MS)
  return stage.look()
}

function isWhole({ turns, state }: Look): boolean {
  return turns.at(-1)?.text === WHOLE && state.phase === 'idle'
}

function byItself({ moment }: Fault, told: Look, later: Look, sign?: Sign): string {
  if (!isWhole(later) && told.state.phase === 'waiting') return 'it is tried again and again, until <C-c> takes it back'
  if (!isWhole(later)) return 'nothing: it waits for `gr`'
  if (!isWhole(told) || sign?.words) {
    return moment === 'in mid-answer' ? 'the answer goes on to its end' : 'the prompt goes out again and is answered'
  }
  return 'it goes on'
}

function problemsOf(fault: Fault, seen: Played, { told, later }: { told: Look; later: Look }): string[] {
  const { knownMs, code } = seen
  const asked = told.turns.filter(({ role }) => role === 'user').map(({ text }) => text)
  const hadBegun = fault.moment === 'in mid-answer'
  return [
    ...(fault.codes.length > 0 && code === undefined && !isWhole(later)
      ? [`none of ${fault.codes.join(', ')} was read`]
      : []),
    ...(knownMs === undefined ? ['there was no sign of it'] : []),
    ...(knownMs !== undefined && knownMs > fault.within * 1_000 + GRACE_MS
      ? [`known after ${(knownMs / 1_000).toFixed(1)} s, not within ${fault.within} s`]
      : []),
    ...(asked.includes('what') ? [] : ['the question is not in the chat']),
    ...(hadBegun && !told.turns.some(({ text }) => text.startsWith(FIRST_PIECE)) ? ['the text so far is lost'] : []),
    ...(seen.nextPrompt === 'answered' ? [] : ['the next prompt was not answered']),
    ...seen.leaks,
  ]
}
