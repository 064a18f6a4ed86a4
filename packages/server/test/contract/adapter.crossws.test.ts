import { h3, h3v1, hooksFor, startCrossws } from '../support/crossws.js'
import { adapterContract } from './adapter.js'

adapterContract('crossws 0.4, of h3 2', (guard, onConnection) => startCrossws(h3, hooksFor(guard, onConnection)))
adapterContract('crossws 0.3, of h3 1', (guard, onConnection) => startCrossws(h3v1, hooksFor(guard, onConnection)))
