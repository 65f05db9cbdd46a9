// From where the web is to be seen for one server's models. Not here: which place is taken (models/web-places.ts).
import type { Clock } from '../core/clock.ts'
import type { WebPlace } from '../models/web.ts'
import { type Detour, TunnelWeb } from './http/web.ts'
import type { Server } from './server.ts'

/** In the order of `from`; a server without ssh is no place of its own. */
export function webPlaces(
  server: Server,
  from: readonly ('here' | 'server')[],
  { clock, detour }: { clock: Clock; detour: Detour | undefined },
): WebPlace[] {
  return from.flatMap((place): WebPlace[] => {
    if (place === 'here') return [{ name: 'here', web: new TunnelWeb({ clock, detour }), isTheirs: isHere(server) }]
    const web = server.openWeb(detour)
    return web ? [{ name: server.config.name, web, isTheirs: true }] : []
  })
}

function isHere({ config: { ssh, url } }: Server): boolean {
  return ssh === undefined && (url.protocol === 'unix:' || /^(?:localhost$|127\.|\[::1\]$)/.test(url.hostname))
}
