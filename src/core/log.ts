// The host's log: what happened, for a person who looks for the cause of a failure. Secrets never come here.
import { appendFileSync, chmodSync, mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** Data beside a message; an Error is written with its causes. */
export type LogFields = Readonly<Record<string, unknown>>

export interface Log {
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error']

/** Size in bytes at which the log is moved to `<path>.1`, that to `<path>.2`, and so on. */
const ROTATE_AT_BYTES = 1_000_000
const KEPT = 3

/**
 * A log that appends to one file (mode 0600) and rotates it when it has grown. Several hosts may share it: each line is one
 * write, and each write looks for the file anew.
 * A log that cannot be written is silent: it must never be the reason for a failure.
 */
export function fileLog(path: string, level: LogLevel): Log {
  prepare(path)
  return logTo((line) => {
    rotate(path)
    appendFileSync(path, line, { mode: 0o600 })
  }, level)
}

/** A log that hands each line to `write`, whose failures are swallowed. */
export function logTo(write: (line: string) => void, level: LogLevel): Log {
  const at =
    (rank: LogLevel) =>
    (message: string, fields: LogFields = {}) => {
      if (LEVELS.indexOf(rank) < LEVELS.indexOf(level)) return
      try {
        write(`${new Date().toISOString()} ${rank.padEnd(5)} ${message}${format(fields)}\n`)
      } catch {
        // Nobody is left to tell.
      }
    }
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }
}

export const silentLog: Log = logTo(() => {}, 'error')

function prepare(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    chmodSync(path, 0o600)
  } catch {
    // No log yet, or none to be had.
  }
}

function rotate(path: string): void {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) < ROTATE_AT_BYTES) return
  for (let index = KEPT; index > 0; index--) move(index === 1 ? path : `${path}.${index - 1}`, `${path}.${index}`)
}

/** What is not there, or was moved by another host this very moment, need not be moved. */
function move(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch {
    // Better a long log than none.
  }
}

function format(fields: LogFields): string {
  return Object.entries(fields)
    .map(([key, value]) => ` ${key}=${tell(value)}`)
    .join('')
}

function tell(value: unknown): string {
  try {
    return value instanceof Error ? chain(value) : JSON.stringify(value)
  } catch {
    return '?' // circular, or a bigint: no reason to lose the line
  }
}

function chain(error: Error): string {
  const own = JSON.stringify(`${error.name}: ${error.message}`)
  return error.cause instanceof Error ? `${own} <- ${chain(error.cause)}` : own
}
