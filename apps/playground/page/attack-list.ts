import type { Attack } from './attacks.js'
import type { Attempt } from './attempt.js'
import { copy, find } from './dom.js'
import { stayInPlace } from './in-place.js'
import type { Outcome } from './judge.js'

/** Runs something as the card's one attempt. */
export type Run = (action: (attempt: Attempt) => Promise<void>) => Promise<void>

/** The list of attacks on a card, each with what should happen and, once tried, what did. */
export function attackList(attacks: readonly Attack[], card: string, run: Run): HTMLElement {
  const section = copy<HTMLElement>('attacks')
  find(section, 'ul').append(...attacks.map((attack) => attackRow(attack, card, run)))
  return section
}

function attackRow(attack: Attack, card: string, run: Run): HTMLElement {
  const row = copy<HTMLElement>('attack')
  const button = find<HTMLButtonElement>(row, 'button')
  const did = find(row, '.did')
  const verdict = find<HTMLElement>(row, '.verdict')
  const count = find(row, '.count')
  find(row, 'h4').textContent = attack.title
  find(row, '.should').textContent = `Should: ${attack.should}`
  // Several cards have an attack of that title.
  button.ariaLabel = `Try: ${attack.title} (${card})`

  function show(text: string, says: Outcome['verdict'] | '' = ''): void {
    did.textContent = text
    verdict.textContent = says
    verdict.hidden = says === ''
    verdict.dataset.verdict = says
    count.textContent = ''
  }

  async function attempt(attempt: Attempt): Promise<void> {
    show('Trying…')
    attempt.onCount((left) => {
      count.textContent = left
    })
    // What an attack waits for never comes once it is stopped.
    const stopped = new Promise<undefined>((resolve) => {
      attempt.signal.addEventListener('abort', () => {
        show('Stopped.')
        resolve(undefined)
      })
    })
    const outcome = await Promise.race([attack.run(attempt).catch(failed), stopped])
    if (!outcome) return
    attempt.end()
    show(`Did: ${outcome.did}`, outcome.verdict)
    attempt.doors('left')
  }

  button.addEventListener('click', () => void stayInPlace(button, () => run(attempt)))
  return row
}

const failed = (error: unknown): Outcome => ({
  verdict: 'unclear',
  did: error instanceof Error ? error.message : String(error),
})
