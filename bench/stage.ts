// A Neovim with an open chat, its host and tunnel warm: where most scenarios begin.
import type { Backend } from './backend-client.ts'
import { Chat } from './chat.ts'
import { type Editor, startEditor } from './editor.ts'
import type { Destination } from './openssh-client.ts'
import type { NeovimLine, Rig } from './rig.ts'
import type { Scope } from './scope.ts'

export interface Stage {
  editor: Editor
  chat: Chat
  backend: Backend
  /** The editor's and the host's process ids. */
  pids: readonly [editor: number, host: number]
}

export interface StageOptions {
  /** Where the server is reached; the sshd itself by default. */
  destination?: Destination
  /** Where the editor's files are; an empty folder by default. */
  folder?: string
}

/** Opens a chat with the server; the tunnel is not opened yet. */
export async function openStage(
  rig: Rig,
  line: NeovimLine,
  scope: Scope,
  { destination, folder }: StageOptions = {},
): Promise<Stage> {
  const backend = await rig.backend()
  const setup = await rig.setup(destination ?? (await rig.destination()))
  const options = { nvim: await rig.neovim(line), folder: folder ?? (await rig.folder()), setup }
  const editor = scope.own(await startEditor(options), (started) => started.stop())
  const chat = new Chat(editor, backend)
  const host = await chat.open()
  return { editor, chat, backend, pids: [editor.pid, host] }
}
