import { engineSuite } from './suite.js'

engineSuite('chromium')
