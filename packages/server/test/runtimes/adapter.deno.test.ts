import { sceneContract } from '../contract/adapter.js'
import { scenesIn } from '../support/runtime.js'

sceneContract('Deno.serve', scenesIn('deno', 'deno'), {
  endsPeers: false,
  limitsRest: false,
  tellsOfBrokenFrames: false,
})
