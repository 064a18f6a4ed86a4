// ws with jose, as the documentation of `jwtVerify` shows it.
import { jwtVerify } from 'jose'
import { tokenOf, upgradeByHand } from './upgrade-by-hand.mjs'

export default function start({ keys }) {
  const secret = new TextEncoder().encode(keys.HS256.secret)
  const verify = (request) => jwtVerify(tokenOf(request), secret, { issuer: 'bench', audience: 'bench' })
  return { server: upgradeByHand(verify) }
}
