// Logging in by what a person types: keyboard-interactive (one-time codes, PAM) and password.
import { passwordName } from '../secrets/secrets.ts'
import type { AnswerQuestions, AuthRun, AuthSteps, LoginQuestion } from './auth-run.ts'

/** Characters of a server's question that are shown. */
const MAX_QUESTION_LENGTH = 200
const MAX_INSTRUCTION_LINES = 8

/** One try of keyboard-interactive, in which a server may ask several times. */
interface Talk {
  readonly isFirst: boolean
  hasBegun: boolean
  /** Something besides the password was asked. */
  hasOthers: boolean
}

/** The server is asked first what it would take: nobody shall type a password in vain. */
export async function* keyboardSteps(run: AuthRun): AuthSteps {
  if (!run.mayUse('keyboard-interactive') || run.isGivenUp) return
  yield* run.learnWhatIsOffered()
  for (let left = run.dependencies.parameters.passwordPrompts; left > 0; left--) {
    if (run.isGivenUp || !run.mayUse('keyboard-interactive')) return
    const isFirst = left === run.dependencies.parameters.passwordPrompts
    const talk: Talk = { isFirst, hasBegun: false, hasOthers: false }
    const answer: AnswerQuestions = (questions, instructions) => answerAll(run, talk, { questions, instructions })
    yield* run.attempt({ type: 'keyboard-interactive', answer }, 'keyboard-interactive')
    if (run.isPartial) return run.acceptInPart('keyboard-interactive')
    // Of a password and a code nobody knows which was the wrong one.
    if (talk.hasOthers) run.keep = undefined
    else forget(run)
    if (!talk.hasBegun) return
    if (!run.isGivenUp) run.report.set('keyboard-interactive', 'refused')
  }
}

/** Only what is surely the password is kept for the next time: a one-time code is worth nothing then. */
async function answerAll(
  run: AuthRun,
  talk: Talk,
  { questions, instructions }: { questions: readonly LoginQuestion[]; instructions: string },
): Promise<string[] | undefined> {
  const [only] = questions
  const isPassword = questions.length === 1 && only !== undefined && isForPassword(only.prompt)
  talk.hasBegun = true
  talk.hasOthers ||= questions.length > 0 && !isPassword
  const kept = isPassword && talk.isFirst ? await run.dependencies.secrets.get(secretName(run)) : undefined
  if (kept !== undefined) return [kept]
  const answers: string[] = []
  for (const { prompt } of questions) {
    const answer = await run.ask(plain(prompt), [detail(run, talk.isFirst), ...lines(instructions)].join('\n'))
    if (answer === undefined) {
      run.isGivenUp = true
      run.report.set('keyboard-interactive', 'cancelled')
      return undefined
    }
    answers.push(answer)
  }
  const [password] = answers
  if (isPassword && password !== undefined) keepOnSuccess(run, password)
  return answers
}

function isForPassword(prompt: string): boolean {
  return /password/i.test(prompt) && !/one.?time|otp|new|current|retype|verif/i.test(prompt)
}

export async function* passwordSteps(run: AuthRun): AuthSteps {
  if (!run.mayUse('password') || run.isGivenUp) return
  yield* run.learnWhatIsOffered()
  for (let left = run.dependencies.parameters.passwordPrompts; left > 0; left--) {
    if (run.isGivenUp || !run.mayUse('password')) return
    const isFirst = !run.report.has('password')
    const password =
      (isFirst ? await run.dependencies.secrets.get(secretName(run)) : undefined) ??
      (await run.ask(`Password of ${run.account}`, detail(run, isFirst)))
    if (password === undefined) {
      run.isGivenUp = true
      run.report.set('password', 'cancelled')
      return
    }
    keepOnSuccess(run, password)
    yield* run.attempt({ type: 'password', password }, 'password')
    if (run.isPartial) return run.acceptInPart('password')
    forget(run)
    run.report.set('password', 'refused')
  }
}

function detail(run: AuthRun, isFirst: boolean): string {
  return isFirst ? `To log in as ${run.account}` : 'That was refused; try again'
}

function keepOnSuccess(run: AuthRun, password: string): void {
  run.keep = () => run.dependencies.secrets.set(secretName(run), password)
}

function forget(run: AuthRun): void {
  run.keep = undefined
  run.dependencies.secrets.delete(secretName(run))
}

function secretName(run: AuthRun): string {
  return passwordName(run.dependencies.parameters)
}

/** A server's instructions, as far as they are read at a glance. */
function lines(words: string): string[] {
  return words
    .split(/\r?\n/)
    .map(plain)
    .filter((line) => line !== '')
    .slice(0, MAX_INSTRUCTION_LINES)
}

/** A server's words on one line, without anything that could move a cursor. */
function plain(words: string): string {
  return words
    .replace(/[\u0000-\u001f\u007f-\u009f]+/g, ' ')
    .trim()
    .slice(0, MAX_QUESTION_LENGTH)
}
