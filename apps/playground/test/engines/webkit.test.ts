import { engineSuite } from './suite.js'

engineSuite('webkit')
