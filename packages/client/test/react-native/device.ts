import { type ClientOptions, WebSocket } from 'ws'

export type Platform = 'android' | 'ios'

/** The native side of an application: its modules, and what a test does to it. */
export interface Device {
  /** What React Native finds by their names. */
  readonly modules: Readonly<Record<string, object>>
  /** The user leaves the application, or comes back. */
  setState(state: 'active' | 'inactive' | 'background'): void
  setNetwork(isConnected: boolean): void
  /** Ends whatever is left. */
  turnOff(): void
}

export interface DeviceOptions {
  readonly platform: Platform
  /** Sends an event to the JavaScript side. */
  readonly emit: (event: string, body: unknown) => void
  /** What the jar that all requests share has for the server: a `Cookie` header. */
  readonly cookie?: string
  /** React Native on Windows sends no `Origin`. Default `true`. */
  readonly hasOrigin?: boolean
}

/** The native modules behind React Native's own JavaScript, over real sockets. */
export function createDevice({ platform, emit, cookie, hasOrigin = true }: DeviceOptions): Device {
  const webSockets = createWebSockets(platform, emit, (url) => ({
    ...(cookie && { Cookie: cookie }),
    ...(hasOrigin && { Origin: new URL(url.replace(/^ws/, 'http')).origin }),
  }))
  const networking = createNetworking(platform, emit)
  const listenable = { addListener() {}, removeListeners() {} }
  let app_state = 'active'
  let isConnected = true
  const netInfo = () => ({
    type: isConnected ? 'wifi' : 'none',
    isConnected,
    isInternetReachable: isConnected,
    details: isConnected ? { isConnectionExpensive: false } : null,
  })

  return {
    modules: {
      WebSocketModule: { ...listenable, ...webSockets.module },
      Networking: { ...listenable, ...networking.module },
      PlatformConstants: { getConstants: () => ({ isTesting: false }) },
      AppState: {
        ...listenable,
        getConstants: () => ({ initialAppState: app_state }),
        getCurrentAppState: (success: (state: object) => void) => success({ app_state }),
      },
      RNCNetInfo: { ...listenable, configure() {}, getCurrentState: async () => netInfo() },
    },
    setState(state) {
      app_state = state
      emit('appStateDidChange', { app_state })
    },
    setNetwork(connected) {
      isConnected = connected
      emit('netInfo.networkStatusDidChange', netInfo())
    },
    turnOff() {
      webSockets.end()
      networking.end()
    },
  }
}

/** As `WebSocketModule.kt` over OkHttp, or `RCTWebSocketModule.mm` over SocketRocket. */
function createWebSockets(
  platform: Platform,
  emit: DeviceOptions['emit'],
  defaults: (url: string) => Record<string, string>,
) {
  const isAndroid = platform === 'android'
  const all = new Set<WebSocket>()
  const known = new Map<number, WebSocket>()

  function connect(url: string, protocols: string[] | null, options: { headers: object }, id: number): void {
    const headers = { ...defaults(url), ...options.headers }
    const socket = new WebSocket(url, protocols ?? [], { headers, perMessageDeflate: false } as ClientOptions)
    all.add(socket)
    // On Android it is known once it is open.
    if (!isAndroid) known.set(id, socket)
    let isOver = false
    function finish(event: string, body: object): void {
      if (isOver) return
      isOver = true
      emit(event, { id, ...body })
    }
    socket.on('open', () => {
      known.set(id, socket)
      emit('websocketOpen', { id, protocol: socket.protocol })
    })
    socket.on('message', (data: Buffer, isBinary) => {
      const message = isBinary ? { type: 'binary', data: data.toString('base64') } : { type: 'text', data: `${data}` }
      emit('websocketMessage', { id, ...message })
    })
    socket.on('unexpected-response', (request, { statusCode, statusMessage }) => {
      const words = isAndroid
        ? `Expected HTTP 101 response but was '${statusCode} ${statusMessage}'`
        : `Received bad response code from server: ${statusCode}.`
      finish('websocketFailed', { message: words })
      request.destroy()
    })
    socket.on('error', () => {
      const { hostname, port } = new URL(url)
      finish('websocketFailed', {
        message: isAndroid ? `Failed to connect to /${hostname}:${port}` : 'Connection refused',
      })
    })
    socket.on('close', (code, reason) => {
      if (code !== 1006) finish('websocketClosed', { code, reason: `${reason}` })
      // What OkHttp says of a connection that breaks has no message; SocketRocket takes its end for a Close.
      else if (isAndroid) finish('websocketFailed', { message: null })
      else finish('websocketClosed', { code: 1001, reason: 'Stream end encountered', clean: false })
    })
  }

  function send(data: string | Buffer, id: number): void {
    const socket = known.get(id)
    if (socket) socket.send(data)
    else if (isAndroid) {
      emit('websocketFailed', { id, message: 'client is null' })
      emit('websocketClosed', { id, code: 0, reason: 'client is null' })
    }
  }

  return {
    module: {
      connect,
      send,
      sendBinary: (base64: string, id: number) => send(Buffer.from(base64, 'base64'), id),
      ping: (id: number) => known.get(id)?.ping(),
      close(code: number, reason: string, id: number) {
        known.get(id)?.close(code, reason)
        known.delete(id)
      },
    },
    end() {
      for (const socket of all) socket.terminate()
    },
  }
}

/** What `XMLHttpRequest` stands on, which `fetch` stands on. Like the systems' own libraries it follows redirects. */
function createNetworking(platform: Platform, emit: DeviceOptions['emit']) {
  const running = new Map<number, AbortController>()
  let lastId = 0

  async function run(id: number, url: string, init: RequestInit, responseType: string): Promise<void> {
    const controller = new AbortController()
    running.set(id, controller)
    try {
      const response = await fetch(url, { ...init, signal: controller.signal })
      const body = Buffer.from(await response.arrayBuffer())
      emit('didReceiveNetworkResponse', [id, response.status, Object.fromEntries(response.headers), response.url])
      emit('didReceiveNetworkData', [id, body.toString(responseType === 'base64' ? 'base64' : 'utf8')])
      emit('didCompleteNetworkResponse', [id, null, false])
    } catch {
      emit('didCompleteNetworkResponse', [id, 'Network request failed', false])
    }
    running.delete(id)
  }

  const ofAndroid = (
    method: string,
    url: string,
    id: number,
    headers: [string, string][],
    _data: object,
    responseType: string,
  ) => void run(id, url, { method, headers }, responseType)
  const ofIos = (
    {
      method,
      url,
      headers,
      responseType,
    }: { method: string; url: string; headers: Record<string, string>; responseType: string },
    callback: (id: number) => void,
  ) => {
    const id = ++lastId
    callback(id)
    void run(id, url, { method, headers }, responseType)
  }
  const abortRequest = (id: number) => running.get(id)?.abort()

  return {
    module: { sendRequest: platform === 'android' ? ofAndroid : ofIos, abortRequest },
    end() {
      for (const controller of running.values()) controller.abort()
    },
  }
}
