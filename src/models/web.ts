// What is needed of the web to look at registries. Who carries it, from here or from a server, is not known here.

export interface WebRequest {
  method: 'GET' | 'HEAD'
  url: URL
  headers?: Readonly<Record<string, string>>
  signal: AbortSignal
}

export interface WebResponse {
  status: number
  /** By their names in small letters. */
  headers: Readonly<Record<string, string>>
  /** To its last byte. */
  body: Uint8Array
}

/** One place from which the web is seen. */
export interface Web {
  /**
   * A few redirects are followed, none away from https.
   * @throws PluginError REGISTRY_UNREACHABLE when no answer came in time, API_PROTOCOL when it is no sensible one; the
   *   signal's reason when aborted.
   */
  request(request: WebRequest): Promise<WebResponse>
  /** Ends all requests and connections; idempotent. */
  close(): void
}

/** A place from which the web is seen, as one of several. */
export interface WebPlace {
  /** As it stands after "from": `here`, or a server's name. */
  name: string
  web: Web
  /** Whether `localhost` means the machine on which the models are. */
  isTheirs: boolean
}
