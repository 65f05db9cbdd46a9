// `curl -N` as what a person would try first.
import { findProgram, runOrThrow } from '../scripts/provision/command.ts'
import { promptBody } from './bare-client.ts'

/** What curl tells of one request, in milliseconds. */
export interface CurlTimes {
  /** From the request's sending to the answer's first byte. */
  firstByte: number
  total: number
}

const FORMAT = '%{time_pretransfer} %{time_starttransfer} %{time_total}\\n'

/** Asks `count` prompts one after the other on one connection; without a curl there are no times. */
export async function curlPrompts(port: number, count: number): Promise<CurlTimes[]> {
  const curl = await findProgram('curl')
  if (curl === undefined) return []
  const one = [
    ...['-sS', '-N', '--http1.1', '-o', '/dev/null', '-w', FORMAT],
    ...['-H', 'Content-Type: application/json', '-d', promptBody('hello')],
    `http://127.0.0.1:${port}/api/chat`,
  ]
  const args = Array.from({ length: count }, (_, index) => (index === 0 ? one : ['--next', ...one])).flat()
  const told = await runOrThrow(curl, args, { timeoutMs: 60_000 })
  return told.trim().split('\n').map(parseTimes)
}

function parseTimes(line: string): CurlTimes {
  const [sent = Number.NaN, first = Number.NaN, total = Number.NaN] = line.split(' ').map((word) => Number(word) * 1000)
  return { firstByte: first - sent, total }
}
