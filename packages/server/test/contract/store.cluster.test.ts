import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Clock, systemClock } from '@sallyport/server'
import { clusterStore } from '@sallyport/server/cluster'
import { onTestFinished } from 'vitest'
import { patient } from '../support/node.js'
import { storeContract } from './store.js'

storeContract('clusterStore', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-cluster-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  let ahead = 0
  const clock: Clock = { now: () => Date.now() + ahead, after: systemClock.after }
  return {
    store: clusterStore({ folder, clock, timeout: patient }),
    advance: (ms) => {
      ahead += ms
    },
  }
})
