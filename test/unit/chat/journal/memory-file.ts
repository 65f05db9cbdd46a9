// A journal's file in memory, which tells what the system and what the disk has of it, and may refuse.
import type { JournalFile } from '../../../../src/chat/journal/journal-file.ts'

export class MemoryFile implements JournalFile {
  /** What the system has: it outlives the process. */
  text = ''
  /** What the disk has: it outlives the machine. */
  synced = ''
  calls: string[] = []
  refusal: Error | undefined
  isThere = false

  async begin(pieces: Iterable<string>): Promise<number> {
    this.#call('begin')
    this.text = [...pieces].join('')
    this.synced = this.text
    this.isThere = true
    return Buffer.byteLength(this.text)
  }

  async resume(): Promise<void> {
    this.#call('resume')
  }

  async append(text: string): Promise<number> {
    this.#call('append')
    this.text += text
    return Buffer.byteLength(text)
  }

  async sync(): Promise<boolean> {
    this.#call('sync')
    if (this.isThere) this.synced = this.text
    return this.isThere
  }

  async close(): Promise<void> {
    this.#call('close')
  }

  async remove(): Promise<void> {
    this.#call('remove')
    this.text = this.synced = ''
    this.isThere = false
  }

  #call(name: string): void {
    this.calls.push(name)
    if (this.refusal) throw this.refusal
  }
}
