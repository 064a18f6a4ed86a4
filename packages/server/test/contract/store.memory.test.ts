import { memoryStore } from '@sallyport/server'
import { testClock } from '../support/clock.js'
import { storeContract } from './store.js'

storeContract('memoryStore', () => {
  const clock = testClock()
  return { store: memoryStore({ clock }), advance: clock.advance }
})
