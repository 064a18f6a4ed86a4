import { copy } from './dom.js'

/**
 * Where a visitor stands. `outside`: has not come. `between`: the outer door let it in, the guard decides. `inside`:
 * accepted. `refused` and `left`: outside again.
 */
export type Place = 'outside' | 'between' | 'inside' | 'refused' | 'left'

/** Shows where the visitor stands, and as whom, or why. */
export type ShowDoors = (place: Place, more?: string) => void

const words: Record<Place, string> = {
  outside: 'Outside',
  between: 'Between the doors',
  inside: 'Inside',
  refused: 'Turned away',
  left: 'Outside again',
}

/** The mark of a card: a plan of the passage with its two doors, and the same in words. */
export function createDoors(state: HTMLElement): { readonly element: SVGElement; readonly show: ShowDoors } {
  const element = copy<SVGElement>('doors')
  const show: ShowDoors = (place, more) => {
    element.dataset.place = place
    state.dataset.place = place
    state.textContent = words[place] + (more === undefined ? '' : (place === 'inside' ? ' as ' : ': ') + more)
  }
  show('outside')
  return { element, show }
}
