// graphql-ws with a token in `connectionParams`, by its recipe for authentication in `onConnect`.
import { createServer } from 'node:http'
import { buildSchema } from 'graphql'
import { useServer } from 'graphql-ws/use/ws'
import jwt from 'jsonwebtoken'
import { WebSocketServer } from 'ws'

export default function start({ keys }) {
  const server = createServer()
  const wsServer = new WebSocketServer({ server, path: '/ws' })
  const isTokenValid = (token) => {
    try {
      return Boolean(jwt.verify(token, keys.HS256.secret))
    } catch {
      return false
    }
  }
  const schema = buildSchema('type Query { hello: String }')
  useServer({ schema, onConnect: ({ connectionParams }) => isTokenValid(connectionParams?.token) }, wsServer)
  return { server }
}
