import { expect, it } from 'vitest'
import { ConfigurationError } from '../../../src/index.js'
import { jwks } from '../../../src/verifiers/keys/jwks.js'
import { startJsonServer } from '../../support/json-server.js'
import { now, signingPair } from '../../support/tokens.js'

it.each([
  ['an age of nothing', { maxAge: 0 }],
  ['an age over a day', { maxAge: 86_400_001 }],
  ['a staleness below zero', { maxStale: -1 }],
  ['no cooldown', { cooldown: 0 }],
  ['a cooldown over the age', { maxAge: 60_000, cooldown: 60_001 }],
  ['no time', { timeout: 0 }],
  ['a time that is no number', { timeout: Number.NaN }],
])('does not start with %s', (_, options) => {
  expect(() => jwks('https://id.example.com/', options)).toThrow(ConfigurationError)
  expect(() => jwks('https://id.example.com/', { maxAge: 5_000 })).not.toThrow()
})

it('asks for a key set', async () => {
  const pair = signingPair('ES256', 'key-1')
  const server = await startJsonServer({ keys: [pair.jwk()] })
  const source = jwks(server.url)
  expect(source.edition(now)).toBeUndefined()
  const { keys, edition } = await source.find({ alg: 'ES256', kid: 'key-1' }, now)
  expect(keys).toHaveLength(1)
  expect(source.edition(now)).toBe(edition)
  expect(server.received[0]?.method).toBe('GET')
  expect(server.received[0]?.headers.accept).toContain('application/jwk-set+json')
})
