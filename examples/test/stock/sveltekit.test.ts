import { expect, it } from 'vitest'
import { running } from './stock.js'

const example = running('sveltekit')

it('serves its pages beside the guarded route', async () => {
  const page = await fetch(`${example().origin}/`)
  expect(await page.text()).toContain('Sallyport example: SvelteKit')
})
