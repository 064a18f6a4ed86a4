// ws with fast-jwt, as its README shows it; its cache is off unless asked for.
import { createVerifier } from 'fast-jwt'
import { tokenOf, upgradeByHand } from './upgrade-by-hand.mjs'

export default function start({ keys }) {
  const verify = createVerifier({ key: keys.HS256.secret })
  return { server: upgradeByHand((request) => verify(tokenOf(request))) }
}
