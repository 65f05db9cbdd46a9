// What the file system's refusals mean to a person.
import { PluginError } from '../../core/errors.ts'

const FULL = ['ENOSPC', 'EDQUOT']

/** A write that failed. What was to be written is still in the chat. */
export function writeFailure(error: unknown, path: string): PluginError {
  if (error instanceof PluginError) return error
  const { code = '', message } = error as NodeJS.ErrnoException
  if (FULL.includes(code)) {
    return new PluginError('STORE_FULL', `There is no room left for ${path}`, {
      hint: 'Nothing was overwritten. Make room, or raise the quota, and save again with :Ollama save.',
      cause: error,
    })
  }
  return new PluginError('STORE_UNWRITABLE', `${path} cannot be written: ${message}`, {
    hint: 'Nothing was overwritten. Check who may write in this folder, and save again with :Ollama save.',
    cause: error,
  })
}

export function readFailure(error: unknown, path: string): PluginError {
  if (error instanceof PluginError) return error
  const { code, message } = error as NodeJS.ErrnoException
  if (code === 'ENOENT') return notFound(path, error)
  return new PluginError('STORE_UNREADABLE', `${path} cannot be read: ${message}`, {
    hint: 'Check who may read it.',
    cause: error,
  })
}

export function notFound(path: string, cause?: unknown): PluginError {
  return new PluginError('STORE_NOT_FOUND', `There is no saved chat ${path}`, {
    hint: 'It may have been renamed or removed meanwhile: :Ollama load lists what there is.',
    cause,
  })
}

export function changedUnderneath(path: string): PluginError {
  return new PluginError('STORE_CHANGED', `${path} was changed by another program`, {
    hint: 'Nothing was overwritten. Save this chat under another name with :Ollama save {name}, or look at the file with :Ollama load.',
  })
}

export function inUse(file: string, where: 'here' | 'elsewhere'): PluginError {
  return where === 'here'
    ? new PluginError('CHAT_IN_USE', `${file} is open in this Neovim already`, {
        hint: ':Ollama chats shows it; :Ollama close ends it.',
      })
    : new PluginError('CHAT_IN_USE', `${file} is open in another Neovim`, {
        hint: 'End it there with :Ollama close, or take it up as a copy, in a file of its own.',
      })
}
