// Options that cannot work.
import { mutantsOf } from '../mutants-of.mjs'

const guard = 'unit/guard/guard.test.ts'
const cookies = 'threats/d-cookie.test.ts'
const origins = 'threats/d-origin.test.ts'
const bounds = 'unit/bounds.test.ts'
const lifetimes = 'threats/f-lifetimes.test.ts'
const kinds = 'threats/g-options.test.ts'
const of = mutantsOf()

export default [
  ...of(
    'guard/options.ts',
    [lifetimes],
    [
      ['method.verify.maxLifetime ?? 30 * day', 'day', 'a revocation is forgotten before what it denies is over'],
      [
        'life?.maxStaleness ?? defaultLife.maxStaleness, ...lifetimes',
        '...lifetimes',
        'a node that was cut off never hears of a revocation',
        'the log is kept for `maxStaleness` in any case',
      ],
    ],
  ),
  ...of(
    'guard/options.ts',
    [bounds],
    [
      ["checkedNumber(owner, 'life.leeway', life.leeway, 0, 60_000)", '', 'a leeway of any length'],
      ["checkedCount(owner, name('max'), max)", '', 'a limit of NaN connections limits nothing'],
      [
        "checkedChoice(owner, name('whenUnavailable'), whenUnavailable, ['count-own', 'refuse'])",
        '',
        'a limit that is misspelt lets everybody in while the store is down',
      ],
      [
        "checkedChoice(owner, name('whenFull'), whenFull, ['refuse', 'replace'])",
        '',
        'a limit that is misspelt refuses where it was to replace',
      ],
      ['value, 0, Number.MAX_SAFE_INTEGER)', 'value, 0)', 'a limit that is infinite limits nothing'],
    ],
  ),
  ...of(
    'support/checked-number.ts',
    [bounds],
    [
      ['value >= min && ', '', 'a limit below zero'],
      ["typeof value === 'number' && ", '', 'a limit that is text'],
    ],
  ),
  ...of(
    'guard/options.ts',
    [kinds],
    [
      [
        "checkedList(owner, 'accept', accept, 'a list of methods', checkMethod)",
        '',
        'a function that was not called is a method, and fails when the first client comes',
      ],
      [
        "checkedTexts(owner, 'protocols', protocols, 'the name of a subprotocol')",
        '',
        'every letter of a text is a subprotocol',
      ],
      [
        'if (connectionsPerIdentity !== undefined) checkLimit',
        'if (connectionsPerIdentity) checkLimit',
        'a limit of 0 connections is none',
      ],
      [
        "store: checkedObject(owner, 'store', store, 'a store, or leave it out', ...commands)",
        'store',
        'what is no store is noticed when the first ticket is asked for',
      ],
    ],
  ),
  ...of(
    'support/checked-kind.ts',
    [kinds],
    [
      [
        "if (kind !== 'an object') throw",
        "if (kind === 'undefined') throw",
        'a list, or null, is an object with options',
      ],
    ],
  ),
  ...of(
    'guard/options.ts',
    [guard],
    [
      ['if (accept.length === 0)', 'if (false)', 'a guard that nobody can pass'],
      ['if (twice)', 'if (false)', 'two verifiers of one carrier, of which one is never asked'],
    ],
  ),
  ...of(
    'guard/options.ts',
    [guard, origins, cookies],
    [['!origins && accept.some(({ ambient }) => ambient)', 'false', 'a cookie without origins, for every page to use']],
  ),
  ...of(
    'guard/options.ts',
    [guard],
    [
      ["protocols.length === 0 && names.includes('subprotocol')", 'false', 'a credential as the only subprotocol'],
      ['|| protocol.startsWith(bearerPrefix)', '', 'a subprotocol that is a credential may be selected'],
      ["!readSubprotocols(protocol) || protocol.includes(',')", 'false', 'a subprotocol that breaks the header'],
    ],
  ),
]
