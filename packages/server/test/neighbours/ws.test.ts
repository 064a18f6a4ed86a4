import type { Server } from 'node:http'
import { createRequire } from 'node:module'
import express from 'express'
import { describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'
import { warningsOfTest } from '../support/warnings.js'
import { answerTo, beside, expectGuarded, expectTheirs, greet, orders } from './beside.js'

/** express-ws, which has no types of its own. */
type ExpressWs = (
  app: express.Express,
  server: Server,
) => { readonly app: express.Express & { ws(path: string, listener: typeof greet): void } }

const warning = /WebSocketServer made with \{ server \}/

describe('a second WebSocketServer', () => {
  it.each(orders)('made %s the guard, keeps all other paths, and is told of once', async (order) => {
    const warnings = warningsOfTest()
    const { port, url } = await beside(order, (server) => {
      new WebSocketServer({ server }).on('connection', greet)
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect(await warnings()).toEqual([expect.stringMatching(warning)])
  })

  it.each(orders)('of one path, made %s the guard, keeps that', async (order) => {
    const warnings = warningsOfTest()
    const { port, url } = await beside(order, (server) => {
      new WebSocketServer({ server, path: '/theirs' }).on('connection', greet)
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect((await answerTo(port, '/none')).status).toBe(400)
    expect(await warnings()).toEqual([expect.stringMatching(warning)])
  })

  it('that upgrades by hand is not told of', async () => {
    const warnings = warningsOfTest()
    const { port, url } = await beside('before', (server) => {
      const theirs = new WebSocketServer({ noServer: true })
      server.on('upgrade', function upgrade(request, socket, head) {
        theirs.handleUpgrade(request, socket, head, greet)
      })
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect(await warnings()).toEqual([])
  })
})

describe('express-ws, which upgrades everything with ws 7', () => {
  it.each(orders)('that comes %s the guard keeps its routes', async (order) => {
    const warnings = warningsOfTest()
    const { port, url } = await beside(order, (server) => {
      const expressWs = createRequire(import.meta.url)('express-ws') as ExpressWs
      const { app } = expressWs(express(), server)
      app.ws('/theirs', greet)
      server.on('request', app)
    })
    await expectGuarded(port)
    await expectTheirs(`${url}/theirs`)
    expect(await warnings()).toEqual([expect.stringMatching(warning)])
  })
})
