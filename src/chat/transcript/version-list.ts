// The versions of a history as a short list: each by what it has in common with the one before. Pure.

/**
 * One version: how many numbers it begins with as the version before does, how many it ends with as that does, and the
 * numbers between as runs, each by its first and its last number.
 */
export type VersionStep = readonly number[]

/** Nobody has versions of so many numbers altogether: a file that says so is no honest one. */
const MOST_NUMBERS = 4_000_000

export function versionSteps(versions: ReadonlyArray<readonly number[]>): VersionStep[] {
  return versions.map((version, index) => {
    const former = versions[index - 1] ?? []
    const shorter = Math.min(version.length, former.length)
    let head = 0
    while (head < shorter && version[head] === former[head]) head++
    let tail = 0
    while (tail < shorter - head && version.at(-1 - tail) === former.at(-1 - tail)) tail++
    return [head, tail, ...runs(version.slice(head, version.length - tail))]
  })
}

/** `undefined` when it is not what `versionSteps` gives. */
export function versionsOf(steps: unknown): number[][] | undefined {
  if (!Array.isArray(steps) || steps.length === 0) return undefined
  const versions: number[][] = []
  let total = 0
  for (const step of steps) {
    const version = isStep(step) ? versionAfter(versions.at(-1) ?? [], step, MOST_NUMBERS - total) : undefined
    if (!version) return undefined
    total += version.length
    versions.push(version)
  }
  return versions
}

function versionAfter(former: readonly number[], step: VersionStep, most: number): number[] | undefined {
  const [head = 0, tail = 0, ...between] = step
  if (head + tail > former.length || head + tail > most) return undefined
  const version = former.slice(0, head)
  for (let index = 0; index < between.length; index += 2) {
    const [first = 0, last = -1] = between.slice(index, index + 2)
    if (last < first || version.length + tail + last - first >= most) return undefined
    for (let number = first; number <= last; number++) version.push(number)
  }
  for (let index = former.length - tail; index < former.length; index++) version.push(former[index] as number)
  return version
}

function runs(numbers: readonly number[]): number[] {
  const found: number[] = []
  for (const number of numbers) {
    if (found.length > 0 && found.at(-1) === number - 1) found[found.length - 1] = number
    else found.push(number, number)
  }
  return found
}

function isStep(value: unknown): value is VersionStep {
  return (
    Array.isArray(value) &&
    value.length % 2 === 0 &&
    value.every((each) => Number.isInteger(each) && each >= 0 && each <= MOST_NUMBERS)
  )
}
