// What is told of a disk that does not take a journal. Pure.

const REASONS: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full',
  EDQUOT: 'your quota of the disk is used up',
  EROFS: 'the disk may only be read',
  EACCES: 'the folder may not be written',
  EPERM: 'the folder may not be written',
}

export function troubleOf(error: unknown, folder: string): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  const reason = REASONS[code] ?? message
  return `The chat goes on, but is not being written down in ${folder}: ${reason}. It will be, as a whole, as soon as that is mended.`
}
