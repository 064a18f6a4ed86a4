import { engineSuite } from './suite.js'

engineSuite('firefox')
