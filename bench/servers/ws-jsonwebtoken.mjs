// ws with jsonwebtoken, the secret a string as in its README.
import jwt from 'jsonwebtoken'
import { tokenOf, upgradeByHand } from './upgrade-by-hand.mjs'

export default function start({ keys }) {
  const { secret } = keys.HS256
  return { server: upgradeByHand((request) => jwt.verify(tokenOf(request), secret)) }
}
