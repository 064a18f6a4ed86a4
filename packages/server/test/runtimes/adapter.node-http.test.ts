import { describe } from 'vitest'
import { sceneContract } from '../contract/adapter.js'
import { scenesIn } from '../support/runtime.js'

describe('Bun', () =>
  sceneContract('guardServer on node:http of Bun', scenesIn('bun', 'node-http'), { limitsRest: false }))
describe('Deno', () => sceneContract('guardServer on node:http of Deno', scenesIn('deno', 'node-http')))
