import { createGuard } from '@sallyport/server'
import { waysIn } from './ways-in.js'

/** The guard of every example on a server of its own. */
export const guard = createGuard(waysIn)
