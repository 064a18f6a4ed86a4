import { createGuard, header } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'

/** A guard for tokens of HS256 in the header. */
export function headerGuard({ HS256: { secret } }) {
  const verify = jwt({ secret, algorithms: ['HS256'], issuer: 'bench', audience: 'bench' })
  return createGuard({ accept: [header({ verify })] })
}
