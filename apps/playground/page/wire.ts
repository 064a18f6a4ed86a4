import type { Ended } from './answer.js'
import { copy, element, find } from './dom.js'

/** How a row is meant: neutral, an accept, a refusal. */
export type Tone = 'plain' | 'good' | 'bad'

/** The sequence diagram of a card: what crossed between browser and server, and when. Never shows a credential. */
export class Wire {
  readonly element = copy<HTMLElement>('sequence')
  readonly #rows = find<HTMLOListElement>(this.element, 'ol')
  #start = 0

  constructor(title: string) {
    this.element.setAttribute('aria-label', `On the wire: ${title}`)
    this.#rows.setAttribute('aria-label', `On the wire: ${title}`)
    // It scrolls, and whoever has no mouse must be able to scroll it.
    this.#rows.tabIndex = 0
  }

  /** Empties the diagram; time starts at zero. */
  restart(): void {
    find<HTMLElement>(this.element, '.empty').hidden = true
    this.#rows.hidden = false
    this.#rows.replaceChildren()
    this.#start = performance.now()
  }

  /** Browser → server. */
  sent(label: string, ...details: string[]): void {
    this.#arrow('sent', 'Sent', 'plain', label, details)
  }

  /** Server → browser. */
  received(label: string, tone: Tone, ...details: string[]): void {
    this.#arrow('received', 'Received', tone, label, details)
  }

  /** Server → browser, and the last thing there is: how the socket ended. */
  ended({ code, reason, upgraded }: Ended): void {
    if (code !== 1006) this.received(`Close ${code} ${reason}`.trim(), code === 1000 ? 'plain' : 'bad')
    else if (upgraded) this.received('Gone without a Close', 'bad', 'The browser says 1006.')
    else this.received('Refused: no 101', 'bad', 'The browser says only 1006.')
  }

  /** Something that happened here and crossed nothing. Returns where to show a count, which is not read aloud. */
  note(text: string): (count: string) => void {
    const count = element('span', '', 'count')
    count.ariaHidden = 'true'
    const row = this.#row('note', element('span', text, 'label'), count)
    this.#append(row)
    return (value) => {
      count.textContent = value
    }
  }

  #arrow(direction: 'sent' | 'received', spoken: string, tone: Tone, label: string, details: string[]): void {
    const lines = [breakable(label, 'label'), ...details.map((detail) => breakable(detail, 'detail'))]
    const row = this.#row(direction, element('span', `${spoken}: `, 'spoken'), ...lines)
    row.classList.add(tone)
    this.#append(row)
  }

  #row(kind: string, ...content: HTMLElement[]): HTMLLIElement {
    const row = element('li', '', kind)
    const body = element('span', '', 'body')
    body.append(...content)
    row.append(element('span', `${Math.round(performance.now() - this.#start)} ms`, 'time'), body)
    return row
  }

  #append(row: HTMLLIElement): void {
    this.#rows.append(row)
    this.#rows.scrollTop = this.#rows.scrollHeight
  }
}

/** A line that breaks behind a comma or before a parameter rather than within a word, and never within a mask. */
function breakable(text: string, name: string): HTMLElement {
  const line = element('span', '', name)
  for (const part of text.split(/(?<=,)|(?=[?&]\w+=)|([\w-]{4}…•••)/)) {
    if (part) line.append(part.includes('•') ? element('span', part, 'masked') : part, element('wbr'))
  }
  return line
}
