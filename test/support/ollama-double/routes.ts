/** Which path and method is answered by what; everything else is gin's 404 or 405. */

import { type Ask, checkAsk, type Shape } from './ask.ts'
import type { Engine } from './engine.ts'
import { rendersPrompts, tellsWrongMethod } from './era.ts'
import type { Exchange } from './exchange.ts'
import { generate, loadOnly } from './generation.ts'
import { hostAllowed, originAllowed } from './host-check.ts'
import { idleLine } from './lines.ts'
import { psReply, showReply, tagsReply } from './model-replies.ts'
import { copy, embed, isName, remove } from './model-routes.ts'
import { displayName, findModel } from './models.ts'
import { pullModel } from './pull.ts'
import { render } from './rendering.ts'
import { failure, json, type Reply, send, TEXT_TYPE, text } from './reply.ts'

/** The reply to send, or nothing when the route has sent its own. */
type Route = (engine: Engine, exchange: Exchange) => Reply | Promise<Reply | undefined>

const home: Route = () => text(200, 'Ollama is running', TEXT_TYPE)
const version: Route = (engine) => json({ version: engine.version })
const tags: Route = (engine) => json(tagsReply(engine.models, engine.context))
const running: Route = (engine) => {
  const { listsLoadingModels } = engine.options.dialect
  return json(psReply(engine.residency.list(listsLoadingModels), engine.context))
}

const ROUTES: Readonly<Record<string, Readonly<Record<string, Route>>>> = {
  '/': { GET: home, HEAD: home },
  '/api/version': { GET: version, HEAD: version },
  '/api/tags': { GET: tags, HEAD: tags },
  '/api/ps': { GET: running },
  '/api/show': { POST: withBody(show) },
  '/api/pull': { POST: withBody(pullModel) },
  '/api/copy': { POST: withBody(copy) },
  '/api/delete': { DELETE: withBody(remove) },
  '/api/embed': { POST: withBody(embed) },
  '/api/chat': { POST: withBody((engine, exchange) => infer('chat', engine, exchange)) },
  '/api/generate': { POST: withBody((engine, exchange) => infer('generate', engine, exchange)) },
}

export async function answerRequest(engine: Engine, exchange: Exchange): Promise<void> {
  const reply = await routeOf(engine, exchange)(engine, exchange)
  if (reply !== undefined) send(exchange.response, reply)
}

function routeOf(engine: Engine, { request }: Exchange): Route {
  const { host, origin } = request.headers
  if (engine.options.checkHost && !(hostAllowed(host) && originAllowed(origin)))
    return () => ({ status: 403, body: '' })
  const methods = ROUTES[request.path]
  const route = methods?.[request.method]
  if (route !== undefined) return route
  if (methods !== undefined && tellsWrongMethod(engine.version)) return () => text(405, '405 method not allowed')
  return () => text(404, '404 page not found')
}

function withBody(route: Route): Route {
  return (engine, exchange) =>
    exchange.bodyError === undefined ? route(engine, exchange) : failure(400, exchange.bodyError)
}

function show(engine: Engine, { request }: Exchange): Reply {
  const { model, name } = (request.body ?? {}) as { model?: unknown; name?: unknown }
  const asked = model || name
  if (!isName(asked)) return failure(400, 'model is required')
  const found = findModel(engine.models, asked)
  if (found === undefined) return failure(404, `model '${displayName(asked)}' not found`)
  return json(showReply(found, engine.context))
}

async function infer(shape: Shape, engine: Engine, exchange: Exchange): Promise<Reply | undefined> {
  const checked = checkAsk(shape, exchange.request.body, engine.models, engine.options.dialect)
  if ('refusal' in checked) return checked.refusal
  const { ask } = checked
  if (ask.body._debug_render_only === true && rendersPrompts(engine.version)) return renderOnly(engine, exchange, ask)
  if (ask.messages.length === 0) return loadOrUnload(engine, exchange, ask)
  await generate(engine, exchange, ask)
  return undefined
}

/** The prompt as the model would be given it; the model is loaded for that. */
async function renderOnly(engine: Engine, exchange: Exchange, ask: Ask): Promise<Reply | undefined> {
  if (!(await loadOnly(engine, exchange, ask))) return undefined
  const open = ask.partial === '' ? [] : [{ role: 'assistant', content: ask.partial }]
  const rendered = render([...ask.messages, ...open], ask.model.trailing)
  const info = { rendered_template: rendered, image_count: 0 }
  return json({ model: ask.name, created_at: engine.timestamp(), _debug_info: info })
}

/** An empty prompt loads the model; with `keep_alive` 0 it unloads it. */
async function loadOrUnload(engine: Engine, exchange: Exchange, ask: Ask): Promise<Reply | undefined> {
  const context = { ask, dialect: engine.options.dialect, createdAt: () => engine.timestamp() }
  if (ask.keepAliveMs === 0) {
    engine.residency.unload(ask.model)
    return json(idleLine(context, 'unload'))
  }
  return (await loadOnly(engine, exchange, ask)) ? json(idleLine(context, 'load')) : undefined
}
