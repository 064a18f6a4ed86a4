import { expect, it } from 'vitest'
import { running } from './stock.js'

const example = running('nitro')

it('serves its own routes beside the guarded one', async () => {
  const response = await fetch(`${example().origin}/hello`)
  expect(await response.text()).toBe('Sallyport example: Nitro')
})
