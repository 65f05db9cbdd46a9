// The record of one chat, changed in one place only, so that whatever happens to it is written down. Who writes it down,
// and where, is the owner's.
import { type Change, type ChatRecord, changedRecord, emptyRecord } from './record.ts'

/** Is told of every change, after it. Must not throw, and nobody waits for it. */
export type OnChange = (change: Change, record: ChatRecord) => void

export class Ledger {
  readonly #onChange: OnChange
  #record: ChatRecord

  constructor(onChange: OnChange, record: ChatRecord = emptyRecord) {
    this.#onChange = onChange
    this.#record = record
  }

  get record(): ChatRecord {
    return this.#record
  }

  apply(change: Change): void {
    this.#record = changedRecord(this.#record, change)
    this.#onChange(change, this.#record)
  }

  /** Goes on with a record that is written down already. */
  adopt(record: ChatRecord): void {
    this.#record = record
  }
}
