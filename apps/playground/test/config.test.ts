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

  it('counts bytes, not characters', () => {
    expect(readConfig({ JWT_SECRET: 'é'.repeat(16) }).secret).toHaveLength(32)
  })
})
