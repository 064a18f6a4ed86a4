import type { Account } from './account.js'
import { attackList } from './attack-list.js'
import { Attempt } from './attempt.js'
import { copy, element, find } from './dom.js'
import { createDoors, type ShowDoors } from './doors.js'
import type { Visit } from './visit.js'
import type { Way } from './ways.js'
import { Wire } from './wire.js'

/** Brings a card to life: its doors, its buttons, the diagram and the attacks. */
export class Card {
  readonly #account: Account
  readonly #way: Way
  readonly #wire: Wire
  readonly #showDoors: ShowDoors
  readonly #controls = copy<HTMLElement>('controls')
  #attempt: Attempt | undefined
  #visit: Visit | undefined

  constructor(card: HTMLElement, way: Way, account: Account) {
    this.#account = account
    this.#way = way
    find<HTMLElement>(this.#controls, '[data-do=renew]').hidden = !way.renew
    const heading = find<HTMLElement>(card, 'h2')
    const title = labelCard(card, heading)
    const state = element('p', '', 'state')
    state.role = 'status'
    const doors = createDoors(state)
    this.#showDoors = doors.show
    this.#wire = new Wire(title)
    heading.before(doors.element)
    heading.after(state)
    // Every card has a button of that name.
    for (const control of this.#controls.querySelectorAll('button, input')) {
      control.setAttribute('aria-describedby', heading.id)
    }
    card.append(this.#controls, this.#wire.element)
    if (way.attacks.length > 0) card.append(attackList(way.attacks, title, (action) => this.#run(action)))
    this.#listen()
  }

  #listen(): void {
    find(this.#controls, '[data-do=connect]').addEventListener(
      'click',
      () => void this.#run((attempt) => this.#enter(attempt)),
    )
    find(this.#controls, '[data-do=disconnect]').addEventListener('click', () => this.#visit?.leave())
    find(this.#controls, '[data-do=renew]').addEventListener('click', () => void this.#renew())
    find<HTMLFormElement>(this.#controls, 'form').addEventListener('submit', (event) => {
      event.preventDefault()
      const line = find<HTMLInputElement>(this.#controls, 'input')
      if (line.value === '') return
      this.#visit?.say(line.value)
      line.value = ''
    })
  }

  async #enter(attempt: Attempt): Promise<void> {
    const visit = await this.#way.enter(attempt)
    const answer = await visit.answer
    if (answer.type === 'ended' || attempt.signal.aborted) return
    this.#inside(visit)
    await visit.ended
    this.#inside(undefined)
  }

  /** Only who is inside can speak, stay longer or leave. The focus must not go with what one can do no more. */
  #inside(visit: Visit | undefined): void {
    this.#visit = visit
    const hasFocus = this.#controls.contains(document.activeElement)
    find<HTMLFormElement>(this.#controls, 'form').hidden = !visit
    for (const action of ['disconnect', 'renew']) {
      find<HTMLButtonElement>(this.#controls, `[data-do=${action}]`).disabled = !visit
    }
    if (hasFocus && !visit) find<HTMLButtonElement>(this.#controls, '[data-do=connect]').focus()
  }

  async #renew(): Promise<void> {
    const [attempt, visit] = [this.#attempt, this.#visit]
    if (!attempt || !visit) return
    await this.#way.renew?.(attempt, visit).catch((error) => this.#fail(attempt, error))
  }

  /** Ends what the card was doing and does this instead, if somebody is signed in. */
  async #run(action: (attempt: Attempt) => Promise<void>): Promise<void> {
    const account = this.#account.require()
    if (!account) return
    this.#attempt?.end()
    this.#inside(undefined)
    this.#showDoors('outside')
    const attempt = new Attempt(account, this.#wire, this.#showDoors)
    this.#attempt = attempt
    try {
      await action(attempt)
    } catch (error) {
      if (this.#fail(attempt, error)) this.#showDoors('refused')
    }
  }

  /** Draws what went wrong, if somebody still watches. */
  #fail(attempt: Attempt, error: unknown): boolean {
    if (attempt.signal.aborted) return false
    this.#wire.received(error instanceof Error ? error.message : String(error), 'bad')
    return true
  }
}

/** Names the card by its heading, and returns that name. */
export function labelCard(card: HTMLElement, heading: HTMLElement): string {
  heading.id = `way-${card.dataset.way}`
  card.setAttribute('aria-labelledby', heading.id)
  return heading.firstChild?.textContent?.trim() ?? ''
}
