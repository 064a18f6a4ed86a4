import { Account } from './account.js'
import { Card, labelCard } from './card.js'
import { commandList } from './commands.js'
import { copy, find } from './dom.js'
import { LiveTable } from './live-table.js'
import { ways } from './ways.js'

const account = new Account()

const mark = copy<SVGElement>('doors')
mark.dataset.place = 'between'
find(document, '#title').prepend(mark)

for (const card of document.querySelectorAll<HTMLElement>('[data-way]')) {
  const way = ways[card.dataset.way ?? '']
  if (way) {
    new Card(card, way, account)
  } else {
    const heading = find<HTMLElement>(card, 'h2')
    labelCard(card, heading)
    heading.before(copy('doors'))
    card.append(commandList(account))
  }
}

new LiveTable(account)
