// Goes in one way with the WebSocket that the runtime itself has, and prints what came of it as lines of JSON.
// Arguments: the module of the client, the URL of the socket, the way, the token.
const [client, url, way, token] = process.argv.slice(2)
const { firstMessage, GuardedSocket, header, subprotocol, ticket } = await import(client)

const byHeader = () => header(() => token)
const credentials = {
  ticket: () => ticket('/ws/ticket', { token: () => token }),
  header: byHeader,
  'header, three times': byHeader,
  'first message': () => firstMessage(() => token),
  subprotocol: () => subprotocol(() => token),
}
const socket = new GuardedSocket(url, {
  credential: credentials[way](),
  protocols: way === 'subprotocol' ? ['app.v1'] : [],
  reconnect: { baseMs: 1, capMs: 1 },
})

const print = (result) => process.stdout.write(`${JSON.stringify(result)}\n`)

let attempts = 0
socket.addEventListener('reconnecting', ({ outcome }) => {
  if (way !== 'header, three times') return
  print({ reconnecting: outcome.kind, ambiguous: outcome.ambiguous })
  attempts += 1
  if (attempts === 3) socket.close()
})
socket.addEventListener('terminal', ({ outcome }) => print({ terminal: outcome.kind }))
socket.addEventListener('close', ({ code }) => {
  if (socket.readyState === GuardedSocket.CLOSED) print({ closed: code })
})
socket.addEventListener('message', ({ data }) => {
  print({ message: data, protocol: socket.protocol })
  if (data === 'hello ada') socket.send('anybody there?')
  else socket.close(1000)
})
