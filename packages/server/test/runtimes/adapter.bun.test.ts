import { sceneContract } from '../contract/adapter.js'
import { scenesIn } from '../support/runtime.js'

sceneContract('Bun.serve', scenesIn('bun', 'bun'), {
  givesRequest: false,
  keepsEarlyFrames: false,
  limitsRest: false,
  tellsOfBrokenFrames: false,
})
