import { type Code, codes } from '@sallyport/protocol'
import { describe, expect, it } from 'vitest'
import type { Answer, Ended } from '../page/answer.js'
import { forge } from '../page/attacks.js'
import { explainClose, whyClosed } from '../page/closes.js'
import { judge } from '../page/judge.js'
import { mask } from '../page/mask.js'
import { clockFace } from '../page/time.js'

const letIn: Answer = { type: 'welcome', userId: 'ada', method: 'ticket' }
const closed: Ended = { type: 'ended', code: 4001, reason: 'Authentication failed', upgraded: true }
const refused: Ended = { type: 'ended', code: 1006, reason: '', upgraded: false }

describe('judge', () => {
  it('says held when the refusal is the one that was due', () => {
    expect(judge(closed, { close: 4001 })).toEqual({ verdict: 'held', did: 'Close 4001 “Authentication failed”.' })
    expect(judge(refused, { status: 403 })).toMatchObject({ verdict: 'held', did: expect.stringContaining('403') })
  })

  it('says NOT held when the attack was let in, whatever the control', () => {
    const control = { answer: letIn, who: 'The control' }
    for (const expected of [{ close: 4001 }, { status: 403 }]) {
      expect(judge(letIn, expected).verdict).toBe('not held')
      expect(judge(letIn, expected, control).verdict).toBe('not held')
    }
  })

  it('needs the control to be let in: a server that is down holds nothing', () => {
    const who = 'The ticket alone'
    expect(judge(refused, { status: 400 }, { answer: letIn, who }).verdict).toBe('held')
    expect(judge(refused, { status: 400 }, { answer: refused, who }).verdict).toBe('unclear')
  })

  it('does not take one refusal for another', () => {
    expect(judge({ ...closed, code: 4003 }, { close: 4001 }).verdict).toBe('unclear')
    expect(judge(refused, { close: 4001 }).verdict).toBe('unclear')
    expect(judge(closed, { status: 403 }).verdict).toBe('unclear')
    expect(judge({ ...refused, upgraded: true }, { status: 403 }).verdict).toBe('unclear')
  })

  it('tells who is being limited', () => {
    const limited = { ...closed, code: codes.limited.close, reason: codes.limited.reason }
    expect(judge(limited, { close: 4001 })).toMatchObject({
      verdict: 'unclear',
      did: expect.stringMatching(/in a minute/),
    })
  })
})

describe('forge', () => {
  it.each(['head.body.Axyz', 'head.body.xyzA'])('changes one character of the signature of %s', (token) => {
    const forged = forge(token)
    const differ = [...token].flatMap((char, at) => (char === forged[at] ? [] : [at]))
    expect([forged.length, differ]).toEqual([token.length, ['head.body.'.length]])
  })
})

describe('explainClose', () => {
  it.each([
    [4019, 'the credential has expired. Come again at once, with a new credential.'],
    [4010, 'revoked. Do not come again by yourself.'],
    [1012, 'the server restarts. Come again in a moment.'],
    [4009, 'a newer connection took its place. Do not come again by yourself.'],
    [4029, 'too many attempts. Wait before you come again.'],
  ])('says what %i means, and what a client does about it', (close, words) => {
    expect(explainClose(close)).toBe(words)
  })

  it('has words for every close code of the guard, and for no other', () => {
    const closes = Object.values<Code>(codes).flatMap(({ close = [] }) => close)
    expect(closes.filter((close) => whyClosed(close) === undefined)).toEqual([])
    for (const close of [1000, 1006, 4000, 4499]) expect(explainClose(close)).toBeUndefined()
  })
})

describe('mask', () => {
  it('J01 shows four characters, and none of a short secret', () => {
    expect(mask('eyJhbGciOiJIUzI1NiJ9.payload.signature')).toBe('eyJh…•••')
    expect(mask('short')).toBe('•••')
  })
})

describe('clockFace', () => {
  it.each([
    [-1, '0:00'],
    [0, '0:00'],
    [0.2, '0:01'],
    [30, '0:30'],
    [61, '1:01'],
    [3600, '1:00:00'],
    [86_399, '23:59:59'],
  ])('shows %s seconds as %s', (seconds, face) => {
    expect(clockFace(seconds)).toBe(face)
  })
})
