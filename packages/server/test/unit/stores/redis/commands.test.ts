import { UnavailableError } from '@sallyport/server'
import { describe, expect, it } from 'vitest'
import { Commands, unavailable } from '../../../../src/stores/redis/commands.js'
import { release } from '../../../../src/stores/redis/scripts.js'
import { Breaker } from '../../../../src/stores/remote/breaker.js'
import { testClock } from '../../../support/clock.js'
import { type Deferred, deferred } from '../../../support/deferred.js'

const timeout = 500
const silent = 'Redis does not answer'
const late = 'Redis took longer than 500 ms'

/** Commands to a server whose replies are in the test's hands. */
function setUp() {
  const clock = testClock()
  const sent: { readonly args: string[]; readonly reply: Deferred<unknown> }[] = []
  const send = (_: string, args: string[]) => {
    const reply = deferred<unknown>()
    sent.push({ args, reply })
    return reply.promise
  }
  const commands = new Commands(send, new Breaker('Redis', clock, timeout, unavailable))
  const ask = () => commands.run('k', ['GET', 'k'])
  const answer = (at: number, reply: unknown = 'OK') => sent[at]!.reply.resolve(reply)
  const fail = (at: number, error: unknown) => sent[at]!.reply.reject(error)
  /** Lets a command miss its deadline. */
  const missDeadline = async () => {
    const missed = ask()
    clock.advance(timeout)
    await expect(missed).rejects.toThrow(late)
  }
  return { clock, commands, sent, ask, answer, fail, missDeadline }
}

describe('a command to Redis', () => {
  it('has its deadline to the millisecond, and leaves no timer behind', async () => {
    const { clock, ask, answer } = setUp()
    const inTime = ask()
    clock.advance(timeout - 1)
    answer(0)
    expect(await inTime).toBe('OK')
    expect(clock.pending).toBe(0)
    const tooLate = ask()
    clock.advance(timeout)
    await expect(tooLate).rejects.toThrow(new UnavailableError(late))
    expect(clock.pending).toBe(0)
  })

  it('is refused at once while the server is silent, and no longer', async () => {
    const { sent, ask, answer, missDeadline } = setUp()
    await missDeadline()
    await expect(ask()).rejects.toThrow(silent)
    expect(sent).toHaveLength(1)
    // What has missed its deadline is answered after all.
    answer(0)
    await sent[0]!.reply.promise
    const next = ask()
    answer(1)
    expect(await next).toBe('OK')
  })

  it('asks a silent server all the same to hear of it again', async () => {
    const { sent, commands, ask, answer, missDeadline } = setUp()
    await missDeadline()
    await expect(commands.eval(release, ['k'], [])).rejects.toThrow(silent)
    const probe = commands.probe(release, ['k'], [])
    expect(sent).toHaveLength(2)
    answer(1)
    expect(await probe).toBe('OK')
    const next = ask()
    answer(2)
    expect(await next).toBe('OK')
  })

  it('waits beside 10,000 others, and is refused beyond', async () => {
    const { sent, ask, answer } = setUp()
    const waiting = Array.from({ length: 10_000 }, ask)
    await expect(ask()).rejects.toThrow(silent)
    answer(0)
    await waiting[0]
    const next = ask()
    for (let i = 1; i < sent.length; i++) answer(i)
    await Promise.all([...waiting, next])
    // Each has given its place back.
    expect(sent).toHaveLength(10_001)
    const again = Array.from({ length: 10_000 }, ask)
    for (let i = 10_001; i < sent.length; i++) answer(i)
    expect(await Promise.all(again)).toHaveLength(10_000)
  })

  it.each<[string, unknown, string]>([
    ['a reply', new Error('WRONGTYPE canary'), 'Redis answered WRONGTYPE'],
    ['a reply of a script', new Error('-READONLY this is a replica canary'), 'Redis answered READONLY'],
    [
      'the client',
      Object.assign(new Error('canary'), { name: 'MaxRetriesPerRequestError', command: { args: ['canary'] } }),
      'Redis is out of reach: MaxRetriesPerRequestError',
    ],
    ['a text that only begins with a capital', new Error('Canary'), 'Redis is out of reach: Error'],
    ['what is no error', 'canary', 'Redis is out of reach: Error'],
  ])('says what kind of fault it was, and nothing else: %s', async (_, thrown, message) => {
    const { ask, fail } = setUp()
    const asked = ask()
    fail(0, thrown)
    const error = await asked.catch((error: unknown) => error)
    expect(error).toEqual(new UnavailableError(message))
    expect(Object.values(error as object)).not.toContain(thrown)
  })
})

describe('a script', () => {
  it('goes by its source where the server has not seen it yet', async () => {
    const { commands, sent, answer, fail } = setUp()
    const reply = commands.eval(release, ['a', 'b'], ['m', 7])
    fail(0, new Error('NOSCRIPT No matching script'))
    await expect.poll(() => sent.length).toBe(2)
    answer(1, 'done')
    expect(await reply).toBe('done')
    expect(sent.map(({ args }) => args)).toEqual([
      ['EVALSHA', release.sha, '2', 'a', 'b', 'm', '7'],
      ['EVAL', release.source, '2', 'a', 'b', 'm', '7'],
    ])
  })

  it.each([
    ['the connection broke', new Error('Connection is closed.')],
    ['the server refused it', new Error('READONLY this is a replica')],
  ])('does not run once more, for all that anybody knows, when %s', async (_, error) => {
    const { commands, sent, fail } = setUp()
    const reply = commands.eval(release, ['a'], [])
    fail(0, error)
    await expect(reply).rejects.toThrow(UnavailableError)
    expect(sent).toHaveLength(1)
  })
})
