import { afterAll, beforeAll, describe, vi } from 'vitest'
import { cableSuite } from './cable.js'
import { clientSuite } from './client.js'
import { type Engine, type EngineName, engines } from './engine.js'
import { pageSuite } from './page.js'
import { hookSuite } from './react.js'
import { standardSuite } from './standard.js'

/** Everything that is seen in every engine, in one start of a browser. */
export function engineSuite(name: EngineName): void {
  vi.setConfig({ testTimeout: 60_000, hookTimeout: 60_000 })
  let engine: Engine
  beforeAll(async () => {
    engine = await engines[name]()
  })
  afterAll(() => engine.close())

  describe(`the client in ${name}`, () => clientSuite(name, () => engine))
  describe(`a dead network in ${name}`, () => cableSuite(() => engine))
  describe(`a WebSocket in ${name}`, () => standardSuite(name, () => engine))
  describe(`the hook of React in ${name}`, () => hookSuite(() => engine))
  describe(`the playground in ${name}`, () => pageSuite(() => engine))
}
