import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { onTestFinished } from 'vitest'

/** A request that came, with its body. */
export interface ReceivedRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** Answers a request: a value is sent as JSON with 200, a function does as it likes. */
export type Answer = object | ((response: ServerResponse, request: ReceivedRequest) => void)

/** A scripted peer on a loopback port. It answers as told, and records all that it received. */
export interface JsonServer {
  readonly url: string
  readonly received: readonly ReceivedRequest[]
  /** How it answers from now on. */
  answer: Answer
  /** Resolves when the next request has come. */
  nextRequest(): Promise<void>
}

/** Answers with a status alone. */
export const status =
  (code: number, headers: Record<string, string> = {}): Answer =>
  (response) =>
    response.writeHead(code, headers).end()

/** Never answers. */
export const silence: Answer = () => {}

/** Answers when told to. */
export function holdAnswer(value: object): { readonly answer: Answer; release(): void } {
  let release = () => {}
  return {
    answer(response) {
      release = () => response.end(JSON.stringify(value))
    },
    release: () => release(),
  }
}

/** Starts a scripted peer, stopped when the test is over. */
export async function startJsonServer(answer: Answer): Promise<JsonServer> {
  const received: ReceivedRequest[] = []
  let arrived = () => {}
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const { method = '', url = '', headers } = request
    const recorded = { method, url, headers, body: Buffer.concat(chunks).toString() }
    received.push(recorded)
    arrived()
    if (typeof script.answer === 'function') script.answer(response, recorded)
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(script.answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  const script = {
    url: `http://127.0.0.1:${port}/`,
    received,
    answer,
    nextRequest: () =>
      new Promise<void>((resolve) => {
        arrived = resolve
      }),
  }
  return script
}
