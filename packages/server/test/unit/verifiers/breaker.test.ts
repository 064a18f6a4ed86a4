import { expect, it } from 'vitest'
import { createBreaker } from '../../../src/verifiers/keys/breaker.js'

it('I10 lets a call through when the clock was set back, though it was to wait', async () => {
  const breaker = createBreaker(1, 1_000, 1)
  const hour = 3_600_000
  const call = (now: number, answer: Promise<string>) => breaker.run(now, () => answer)
  await expect(call(hour, Promise.reject(new Error('down')))).rejects.toThrow('down')
  await expect(call(hour + 999, Promise.resolve('good'))).rejects.toThrow('failed too often')
  expect(await call(0, Promise.resolve('good'))).toBe('good')
})
