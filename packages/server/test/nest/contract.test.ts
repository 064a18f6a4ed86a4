import { adapterContract } from '../contract/adapter.js'
import { gatewayFor, startNest } from './application.js'

adapterContract('NestJS', (guard, onConnection) => startNest(guard, [gatewayFor(guard, onConnection)]), {
  failure: 'goes on',
  waits: false,
})
