import { describe, expect, it } from 'vitest'
import { readConfig } from '../src/config.js'

describe('readConfig', () => {
  it('has defaults that are this computer’s alone', () => {
    const { host, port, secret } = readConfig({})
    expect({ host, port }).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(secret).toHaveLength(32)
  })

  it('makes another secret for every start', () => {
    expect(readConfig({}).secret).not.toEqual(readConfig({}).secret)
  })

  it('takes an empty variable for an unset one', () => {
    const { host, port, secret } = readConfig({ HOST: '', PORT: '', JWT_SECRET: '' })
    expect({ host, port, length: secret.length }).toEqual({ host: '127.0.0.1', port: 8080, length: 32 })
  })

  it.each(['0', '1', '65535'])('takes PORT=%s', (PORT) => {
    expect(readConfig({ PORT }).port).toBe(Number(PORT))
  })

  it.each(['65536', '-1', '80.5', '1e3', ' 80', 'http', '0x50'])('refuses PORT=%s', (PORT) => {
    expect(() => readConfig({ PORT })).toThrow(/^PORT must be a number from 0 to 65535/)
  })

  it('takes a secret of 32 bytes', () => {
    expect(readConfig({ JWT_SECRET: 'x'.repeat(32) }).secret).toHaveLength(32)
  })

  it('B19 refuses a secret of 31 bytes, without telling it', () => {
    const secret = 'x'.repeat(31)
    expect(() => readConfig({ JWT_SECRET: secret })).toThrow(/^JWT_SECRET must have at least 32 bytes; it has 31\./)
    expect(() => readConfig({ JWT_SECRET: secret })).not.toThrow(secret)
  })

  it('takes the address of a Redis, with a secret that nodes share', () => {
    const JWT_SECRET = 'x'.repeat(32)
    expect(readConfig({}).redis).toBeUndefined()
    for (const REDIS_URL of ['redis://127.0.0.1:6379', 'rediss://user:word@redis.example:6380/1']) {
      expect(readConfig({ REDIS_URL, JWT_SECRET }).redis?.href).toBe(new URL(REDIS_URL).href)
      expect(() => readConfig({ REDIS_URL })).toThrow(/^With REDIS_URL, .*set the same JWT_SECRET/)
    }
    for (const REDIS_URL of ['127.0.0.1:6379', 'http://canary@127.0.0.1', 'canary']) {
      expect(() => readConfig({ REDIS_URL, JWT_SECRET })).toThrow(/^REDIS_URL must be an address such as redis:/)
      expect(() => readConfig({ REDIS_URL, JWT_SECRET })).not.toThrow('canary')
    }
  })

  it('counts bytes, not characters', () => {
    expect(readConfig({ JWT_SECRET: 'é'.repeat(16) }).secret).toHaveLength(32)
  })
})
