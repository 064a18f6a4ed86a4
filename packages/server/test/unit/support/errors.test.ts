import { existsSync } from 'node:fs'
import { createGuard, header, rejected } from '@sallyport/server'
import { jwt } from '@sallyport/server/jwt'
import { expect, it } from 'vitest'

const verify = () => rejected('credential-unknown')
const options = { algorithms: ['HS256'], issuer: 'https://id.example.com', audience: 'chat' } as const

it.each([
  ['accept-empty', () => createGuard({ accept: [] }), () => createGuard({ accept: [header({ verify })] })],
  ['secret-short', () => jwt({ ...options, secret: 'short' }), () => jwt({ ...options, secret: 's'.repeat(32) })],
])('the error %s says which page has more, and that page is there', (code, wrong, right) => {
  expect(right).not.toThrow()
  expect(wrong).toThrow(expect.objectContaining({ name: 'ConfigurationError', code }))
  const page = `docs/errors/${code}.md`
  expect(wrong).toThrow(new RegExp(`: see https://github\\.com/sallyport/sallyport/blob/main/${page}$`))
  expect(existsSync(page)).toBe(true)
})
