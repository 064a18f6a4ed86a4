/** The class `DurableObject` of `cloudflare:workers`, whatever version of its types an application has. */
export type ObjectBase = abstract new (ctx: never, env: never) => object

/** The same as a class of ours extends it. */
export type OpenBase = new (ctx: ObjectState, env: object) => object

/** The environment of an object. */
export type EnvOf<B extends ObjectBase> = ConstructorParameters<B>[1]

/** The WebSocket that an object is handed. */
export type SocketOf<B extends ObjectBase> =
  InstanceType<B> extends { webSocketMessage?(socket: infer S, message: string | ArrayBuffer): unknown }
    ? S
    : RuntimeWebSocket

/** A class that extends `B` by what `O` has. */
export type Extended<B extends ObjectBase, O> = new (...args: ConstructorParameters<B>) => InstanceType<B> & O

/** A namespace of Durable Objects, as a binding gives it: as much of it as we need. */
export interface ObjectNamespace<O> {
  idFromName(name: string): ObjectId
  idFromString(id: string): ObjectId
  get(id: ObjectId): O
}

/** The id of an object. */
export interface ObjectId {
  toString(): string
}

/** What an object is given. */
export interface ObjectState {
  readonly id: ObjectId
  readonly storage: ObjectStorage
  /** Lets nothing happen to the object meanwhile. */
  blockConcurrencyWhile<T>(callback: () => Promise<T>): Promise<T>
  acceptWebSocket(socket: RuntimeWebSocket, tags?: string[]): void
  getWebSockets(tag?: string): RuntimeWebSocket[]
  getTags(socket: RuntimeWebSocket): string[]
}

/** Its storage, in SQLite. */
export interface ObjectStorage {
  readonly kv: {
    get<T>(key: string): T | undefined
    put(key: string, value: unknown): void
    delete(key: string): boolean
    list(options: { readonly prefix: string }): Iterable<[key: string, value: unknown]>
  }
  readonly sql: { exec<R>(query: string, ...values: (string | number)[]): { toArray(): R[] } }
  getAlarm(): Promise<number | null>
  setAlarm(at: number): Promise<void>
  deleteAlarm(): Promise<void>
  deleteAll(): Promise<void>
}

/** Makes the two ends of a WebSocket: the first is for the client. */
export type SocketPair = new () => { readonly 0: RuntimeWebSocket; readonly 1: RuntimeWebSocket }

/** A WebSocket of Cloudflare's runtime. */
export interface RuntimeWebSocket {
  readonly readyState: number
  readonly bufferedAmount?: number
  accept(): void
  send(data: string | ArrayBuffer | Uint8Array): void
  close(code?: number, reason?: string): void
  serializeAttachment(value: unknown): void
  deserializeAttachment(): unknown
}
