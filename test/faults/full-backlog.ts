// A port whose SYNs the kernel drops: its process stands still, and its queue of connections is full. Linux only.
import { spawn } from 'node:child_process'
import { connect, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

const LISTEN = `const server = require('node:net').createServer()
server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log(server.address().port))`
/** A handshake on loopback takes less than a thousandth of it. */
const SURELY_DROPPED_MS = 300

/** It ends with the test. */
export async function startFullBacklog(): Promise<{ port: number }> {
  const child = spawn(process.execPath, ['-e', LISTEN], { stdio: ['ignore', 'pipe', 'inherit'] })
  const sockets: Socket[] = []
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    child.kill('SIGKILL')
  })
  const port = Number(await new Promise((resolve) => child.stdout.once('data', resolve)))
  child.kill('SIGSTOP')
  while (await connects(port, sockets)) {}
  return { port }
}

async function connects(port: number, sockets: Socket[]): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => {})
  return new Promise((resolve) => {
    const tooLate = setTimeout(() => resolve(false), SURELY_DROPPED_MS)
    socket.once('connect', () => {
      clearTimeout(tooLate)
      resolve(true)
    })
  })
}
