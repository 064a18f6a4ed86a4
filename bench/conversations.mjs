// What clients say and expect, `[send, expect]` by turns, for each way to bring a credential.
import { frame, handshake, post } from './wire.mjs'

const switched = 'HTTP/1.1 101 '

/** No credential. */
export const anonymous = (expected = switched) => [[handshake(), expected]]

/** Each takes a credential and, where it is to be refused, the answer that says so. */
export const bearer = (token, expected = switched) => [[handshake('/ws', `Authorization: Bearer ${token}`), expected]]
export const queryToken = (token, expected = switched) => [[handshake(`/ws?token=${token}`), expected]]
export const ticket = (text, expected = switched) => [[handshake(`/ws?ticket=${text}`), expected]]
export const cookie = (line, expected = switched) => [
  [handshake('/ws', `Cookie: ${line}`, 'Origin: https://app.example.com'), expected],
]
export const subprotocol = (token, expected = switched) => {
  const credential = `sallyport.bearer.${Buffer.from(token).toString('base64url')}`
  return [[handshake('/ws', `Sec-WebSocket-Protocol: chat, ${credential}`), expected]]
}
export const firstMessage = (token, expected = '"auth_ok"') => [
  [handshake(), switched],
  [frame(JSON.stringify({ type: 'auth', token })), expected],
]
const socketIoWith = (auth, expected) => [
  [handshake('/socket.io/?EIO=4&transport=websocket'), switched],
  ['', '0{'], // the open packet of Engine.IO
  [frame(`40${auth}`), expected],
]
export const socketIo = (token, expected = '40{') => socketIoWith(JSON.stringify({ token }), expected)
export const socketIoAnonymous = (expected = '40{') => socketIoWith('', expected)
/** An event of Socket.IO; its echo is like it. */
export const socketIoEvent = (text) => `42["echo","${text}"]`
export const graphql = (token, expected = '"connection_ack"') => [
  [handshake('/ws', 'Sec-WebSocket-Protocol: graphql-transport-ws'), switched],
  [frame(JSON.stringify({ type: 'connection_init', payload: { token } })), expected],
]

/** Asks for a ticket as a user with that token, and comes in with what the answer names. */
export const takeTicket = (token, { comeIn }) => ({
  ask: [[post('/ws/ticket', `Authorization: Bearer ${token}`), '"expiresIn":30}']],
  goOn: (answer) => comeIn(/"ticket":"([^"]*)"/.exec(answer)[1]),
})

/** A conversation that goes on to the application: it answers what it is told. */
export const toEcho = (conversation) => [...conversation, [frame('are you there?'), 'are you there?']]

/** How servers answer a bad credential. */
export const refusals = {
  status: 'HTTP/1.1 401 ',
  malformed: 'HTTP/1.1 400 ',
  close: 'Authentication failed', // the reason of Close, behind a 101, for browsers
  firstMessage: '"auth_fail"',
  socketIo: '44{"message":"not authorized"',
  socketIoGuard: '44{"message":"Authentication failed"',
  closed: 'Unauthorized', // the reason of a Close by hand
  graphql: 'Forbidden',
}
