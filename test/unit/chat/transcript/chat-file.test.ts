import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Turn } from '../../../../src/chat/record/conversation.ts'
import {
  branchAfter,
  changed,
  current,
  type History,
  historyOf,
  removalOf,
  stepBy,
} from '../../../../src/chat/record/history.ts'
import type { ChatRecord } from '../../../../src/chat/record/record.ts'
import { variantsOf } from '../../../../src/chat/record/variants.ts'
import { parseChat, renderChat } from '../../../../src/chat/transcript/chat-file.ts'
import { parse } from '../../../../src/chat/transcript/format.ts'
import { hostileText } from '../hostile.ts'
import { records } from '../records.ts'

const user = (text: string): Turn => ({ role: 'user', text, at: '2026-11-20 14:02:31' })
const answer = (text: string): Turn => ({ role: 'assistant', text, at: '', model: 's:m', end: 'done' })

/** A question that was answered twice, and gone on with once. */
const twice: ChatRecord = {
  meta: {
    title: 'Locks',
    titled: 'person',
    created: '2026-11-20 14:02:31',
    model: 's:m',
    parameters: { keepAlive: '10m' },
  },
  history: [
    (history: History) => branchAfter(history, 1, answer('b')),
    () => ({ type: 'append', turns: [user('more')] }) as const,
  ].reduce((history, change) => changed(history, change(history)), historyOf({ turns: [user('q'), answer('a')] })),
}

const twiceText = `## ◆ You · 2026-11-20 14:02:31

q

## ◆ s:m · ‹2/2›

b

<!-- ◆ {"end":"done"} -->

## ◆ You · 2026-11-20 14:02:31

more

<!-- ◆ chat {"format":1,"title":"Locks","titled":"person","created":"2026-11-20 14:02:31","model":"s:m","parameters":{"keep_alive":"10m"}} -->
<!-- ◆ versions {"shown":1,"list":[[0,0,0,1],[1,0,2,3]],"places":[2,1],"sums":"…"} -->
<!-- ◆ turn 1 "## ◆ s:m\\n\\na\\n\\n<!-- ◆ {\\"end\\":\\"done\\"} --\\u003e\\n\\n" -->
`

/** A history by what its turns are, not by their numbers. */
function meaning(history: History) {
  const used = [...new Set(history.versions.flat())].toSorted((one, other) => one - other)
  const placed = new Map<number, Turn[]>()
  for (const number of used) {
    const { place, turn } = history.entries[number] as History['entries'][number]
    placed.set(place, [...(placed.get(place) ?? []), turn])
  }
  return {
    shown: history.shown,
    versions: history.versions.map((version) =>
      version.map((number) => {
        const { place, turn } = history.entries[number] as History['entries'][number]
        return { turn, variants: placed.get(place), identity: used.indexOf(number) }
      }),
    ),
  }
}

function expectSame(read: ChatRecord, record: ChatRecord): void {
  expect(read.meta).toEqual(record.meta)
  expect(meaning(read.history)).toEqual(meaning(record.history))
}

const textsOf = ({ history }: ChatRecord): string[] => current(history).turns.map(({ text }) => text)

describe('the file', () => {
  test('is written and read as it is documented', () => {
    const text = renderChat(twice)
    expect(text.replace(/"sums":"[^"]*"/, '"sums":"…"')).toBe(twiceText)
    const { record, problems } = parseChat(text)
    expect(problems).toEqual([])
    expectSame(record, twice)
  })

  test('without a block opens with its text alone, and knows what that tells', () => {
    const { record, problems } = parseChat('hello\n\n## ◆ gpu:m · 2026-11-20 14:02:31 · ‹3/9›\n\nhi\n')
    expect(textsOf(record)).toEqual(['hello', 'hi'])
    expect(record.meta).toEqual({ created: '2026-11-20 14:02:31', model: 'gpu:m' })
    expect(problems).toEqual(['Line 1: text before the first heading is taken for a prompt'])
  })

  test('keeps what a newer version put into it', () => {
    const text = renderChat(twice)
      .replace('{"format":1', '{"format":2,"folder":"work","titled":"robot"')
      .replace('<!-- ◆ turn', '<!-- ◆ marks [1] -->\n<!-- ◆ turn')
      .replace(',"titled":"person"', '')
    const { record, problems } = parseChat(text)
    expect(problems).toEqual(['The file was written by a newer version (format 2)'])
    expect(record.meta.extra).toEqual({ folder: 'work', titled: 'robot' })
    const again = renderChat(record)
    expect(again).toContain('"folder":"work","titled":"robot"')
    expect(again).toContain('\n<!-- ◆ marks [1] -->\n')
    expectSame(parseChat(again).record, record)
  })

  test('has turns in the block that look like nothing in Markdown', () => {
    const lines = renderChat(twice).split('\n').slice(-4, -1)
    expect(lines.every((line) => /^<!-- ◆ [a-z]+ [^>]* -->$/.test(line))).toBe(true)
  })
})

describe('a text that was changed by hand', () => {
  const text = renderChat(twice)
  const edited = (replaced: string, by: string) => parseChat(text.replace(replaced, by))
  const said = (what: string) => [
    `The text was changed outside (turns: ${what}); it counts, and the other versions follow it`,
  ]

  test.each([
    ['a turn changed', '\n\nq\n\n', '\n\nQ\n\n', ['Q', 'b', 'more'], ['Q', 'a'], '1 changed'],
    ['a turn added', '## ◆ You', '## ◆ System\n\ns\n\n## ◆ You', ['s', 'q', 'b', 'more'], ['q', 'a'], '1 added'],
    ['a turn taken out', '## ◆ You · 2026-11-20 14:02:31\n\nq\n\n', '', ['b', 'more'], ['a'], '1 taken out'],
    [
      'a turn after the block',
      '" -->\n',
      '" -->\n\n## ◆ You\n\nlate\n',
      ['q', 'b', 'more', 'late'],
      ['q', 'a'],
      '1 added',
    ],
  ])('counts: %s', (_, replaced, by, shown, former, what) => {
    const { record, problems } = edited(replaced, by)
    expect(problems).toEqual(said(what))
    expect(textsOf(record)).toEqual(shown)
    const before = stepBy(record.history, -1)
    expect(before && textsOf({ meta: {}, history: changed(record.history, before) })).toEqual(former)
    expectSame(parseChat(renderChat(record)).record, record)
  })

  test('keeps its variants where its turns stand', () => {
    const { record } = edited('## ◆ You', '## ◆ System\n\ns\n\n## ◆ You')
    expect(variantsOf(record.history, 3).entries).toHaveLength(2)
  })

  test('is known again when only its metadata or the ends of its lines differ', () => {
    expect(parseChat(`\uFEFF${text.replaceAll('\n', '\r\n')}`)).toEqual(parseChat(text))
    expect(edited('{"end":"done"}', '{"end":"length"}').problems).toEqual([])
  })
})

describe('the laws', () => {
  test('any record comes back as it was', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(records, (record) => {
        const { record: read, problems } = parseChat(renderChat(record))
        expect(problems).toEqual([])
        expectSame(read, record)
      }),
      { numRuns: 300 },
    )
  })

  test('what is shown reads the same without the block', () => {
    fc.assert(
      fc.property(records, (record) => {
        const text = renderChat(record)
        const shown = text.slice(0, text.search(/^<!-- ◆ chat /m))
        expect(parse(shown)).toEqual({ conversation: current(record.history), problems: [] })
      }),
      { numRuns: 200 },
    )
  })

  test('no content makes a line of the block', () => {
    fc.assert(
      fc.property(records, (record) => {
        const text = renderChat({ ...record, meta: {} })
        const used = new Set(record.history.versions.flat())
        const hidden = used.size - new Set(record.history.versions[record.history.shown]).size
        expect(text.match(/^<!-- ◆ [a-z]/gm)).toHaveLength(2 + hidden)
      }),
      { numRuns: 200 },
    )
  })

  test('a file that was cut anywhere opens, with the turns before the cut', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(records, fc.nat(), (record, place) => {
        const bytes = Buffer.from(renderChat(record))
        const cut = bytes.subarray(0, place % (bytes.length + 1)).toString()
        const { record: read } = parseChat(cut)
        expect(read.history.versions[read.history.shown]).toHaveLength(
          cut.match(/^## ◆ /gm)?.length ?? current(read.history).turns.length,
        )
        expectSame(parseChat(renderChat(read)).record, read)
      }),
      { numRuns: 300 },
    )
  })

  test('lines of a damaged block keep their order, however often they are saved', () => {
    const lines = [
      'turn 1 "## ◆ You"',
      'turn 1 "## ◆ System"',
      'chat {"title":"t"}',
      'chat {"title":"u"}',
      'turn 2 "x"',
    ]
    const { record } = parseChat(lines.map((line) => `<!-- ◆ ${line} -->\n`).join(''))
    expect(record.meta.lines).toHaveLength(4)
    expect(parseChat(renderChat(record)).record).toEqual(record)
  })

  test('any bytes open, no word of theirs is lost, and what was read comes back as it is', { timeout: 60_000 }, () => {
    const lines = fc.constantFrom(
      '<!-- ◆ chat {"format":1,"title":"t"} -->',
      '<!-- ◆ chat {"title":',
      '<!-- ◆ versions {"shown":0,"list":[[0,0,0,1]],"places":[1,0],"sums":"AAAAAAAA"} -->',
      '<!-- ◆ versions {"shown":1,"list":[[0,0,0,20000],[20000,0]]} -->',
      '<!-- ◆ turn 1 "## ◆ You" -->',
      '<!-- ◆ turn x -->',
      '<!-- ◆ other',
      '\uD83D',
      '\0',
      '\uFEFF',
    )
    const texts = fc.oneof(
      fc.array(fc.oneof(lines, hostileText), { maxLength: 8 }).map((pieces) => pieces.join('\n')),
      fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes).toString()),
      fc.string({ unit: 'binary' }),
    )
    fc.assert(
      fc.property(texts, (text) => {
        const marked = text
          .split('\n')
          .flatMap((line, index) => [line, `word${index}word`])
          .join('\n')
        const { record } = parseChat(marked)
        const kept = JSON.stringify(record)
        for (const [word] of marked.matchAll(/word\d+word/g)) expect(kept).toContain(word)
        expectSame(parseChat(renderChat(record)).record, record)
      }),
      { numRuns: 300 },
    )
  })

  test('costs the length of the text, and few bytes for many versions', () => {
    const turns = Array.from({ length: 1_000 }, (_, index) =>
      (index % 2 ? answer : user)(`${index} ${'long '.repeat(1_000)}`),
    )
    let history = historyOf({ turns })
    for (let index = 0; index < 200; index++) history = changed(history, removalOf(history, 400 + index))
    history = changed(history, { type: 'show', version: 0 })
    const started = performance.now()
    const text = renderChat({ meta: {}, history })
    expect(current(parseChat(text).record.history).turns).toHaveLength(1_000)
    expect(performance.now() - started).toBeLessThan(3_000)
    expect(text.length - text.lastIndexOf('<!-- ◆ chat ')).toBeLessThan(20_000)
  })
})
