export { type Code, type CodeName, codes } from './codes.js'
export {
  type AuthExpiringFrame,
  type AuthFailFrame,
  type AuthFrame,
  type AuthOkFrame,
  type ClientFrame,
  encodeFrame,
  readAuthFrame,
  readServerFrame,
  type ServerFrame,
} from './frames.js'
export {
  type Action,
  type Kind,
  type Meaning,
  misconfigured,
  type OutcomeCode,
  outcomeOfClose,
  outcomeOfStatus,
  outcomes,
  unavailable,
} from './outcomes.js'
export { base64url, bearerPrefix, decodeBearer, encodeBearer, readSubprotocols } from './subprotocol.js'
