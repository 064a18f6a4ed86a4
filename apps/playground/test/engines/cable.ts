import { cookie } from '@sallyport/server'
import { expect, it, onTestFinished } from 'vitest'
import { cableOfTest } from '../../../../packages/server/test/support/cable.js'
import type { Engine } from './engine.js'
import { serveGuarded, verifyGood } from './guarded.js'
import type * as pulse from './pulse.js'
import { bundle, remote } from './stage.js'

/** A network that dies without a word, in that browser, with a cable between the two ends. */
export function cableSuite(running: () => Engine): void {
  it('K30 is noticed within 100 seconds of its time, and it comes again when the cable is whole', async () => {
    const served = await serveGuarded(await bundle('pulse'), {
      cookie: [cookie({ name: 'trial', verify: verifyGood })],
    })
    onTestFinished(() => served.close())
    const cable = await cableOfTest(served.port)
    const tab = await running().open(served.url)
    const page = remote<typeof pulse>(tab, 'pulse')
    await page.open(`ws://127.0.0.1:${cable.port}/cookie/ws`)
    await page.pass(60_000)
    await page.answered()
    expect(await page.state()).toEqual({ asked: 1, readyState: 1, lost: [] })

    cable.silence()
    await page.pass(60_000)
    expect(await page.state()).toEqual({ asked: 2, readyState: 1, lost: [] })
    await page.pass(10_000)
    expect(await page.state()).toEqual({ asked: 2, readyState: 0, lost: ['network'] })

    cable.heal()
    await page.pass(500)
    await page.back()
    expect((await page.state()).readyState).toBe(1)
  })
}
