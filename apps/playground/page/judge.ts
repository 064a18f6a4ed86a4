import { codes } from '@sallyport/protocol'
import type { Answer, Ended } from './answer.js'

/** What came of an attack. `unclear`: refused, but not in a way that proves the guard did it. */
export interface Outcome {
  readonly verdict: 'held' | 'not held' | 'unclear'
  /** What did happen, in a sentence or two. */
  readonly did: string
}

/** How the guard should refuse: by a close code, or by an HTTP status, of which a browser sees only 1006. */
export type Expected = { readonly close: number } | { readonly status: number }

/** A visit that differs from the attack in one thing only, and must be let in: without it any broken server would hold. */
export interface Control {
  readonly answer: Answer
  /** Who was let in, as a sentence begins: “The same ticket, from this page,”. */
  readonly who: string
}

/** Compares what an attack met with what it should have met. */
export function judge(answer: Answer, expected: Expected, control?: Control): Outcome {
  if (answer.type === 'welcome') return { verdict: 'not held', did: `It was let in, as ${answer.userId}.` }
  const met = describe(answer, expected)
  if (answer.code === codes.limited.close) {
    return { verdict: 'unclear', did: `${met} Too many bad attempts from this computer: try again in a minute.` }
  }
  const asDue = 'close' in expected ? answer.code === expected.close : !answer.upgraded
  if (!asDue) return { verdict: 'unclear', did: `${met} That is not the answer that was due.` }
  if (!control) return { verdict: 'held', did: met }
  return control.answer.type === 'welcome'
    ? { verdict: 'held', did: `${met} ${control.who} was let in.` }
    : { verdict: 'unclear', did: `${met} But so was the control: ${control.who} met ${control.answer.code}.` }
}

function describe({ code, reason, upgraded }: Ended, expected: Expected): string {
  if (code !== 1006) return `Close ${code}${reason && ` “${reason}”`}.`
  if (upgraded) return '1006: the connection broke.'
  const status = 'status' in expected ? `the status (${expected.status})` : 'a status, if there was one,'
  return `1006: refused before the upgrade. A page learns no more; ${status} shows in the developer tools only.`
}
