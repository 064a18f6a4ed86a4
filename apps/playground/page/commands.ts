import type { Account } from './account.js'
import { forge } from './attacks.js'
import { copy, element, find } from './dom.js'
import { mask } from './mask.js'

/** A command for the terminal, by the token that it presents. */
interface Command {
  readonly title: string
  readonly forged?: true
  readonly write: (token: string, host: string) => string
}

// 16 bytes in base64, as RFC 6455 section 4.1 asks.
const key = btoa('a sallyport key!')

const curl = (token: string, host: string) =>
  [
    'curl --include --no-buffer --max-time 2',
    '--header "Connection: Upgrade" --header "Upgrade: websocket"',
    '--header "Sec-WebSocket-Version: 13"',
    `--header "Sec-WebSocket-Key: ${key}"`,
    `--header "Authorization: Bearer ${token}"`,
    `http://${host}/ws`,
  ].join(' \\\n  ')

const node = (token: string, host: string) =>
  `node -e "new (require('ws'))('ws://${host}/ws', { headers: { authorization: 'Bearer ${token}' } })` +
  `.on('message', (data) => console.log(String(data)))"`

const commands: readonly Command[] = [
  { title: 'Come in, with Node.js and ws (in this repository)', write: node },
  { title: 'See the 101, with curl', write: curl },
  { title: 'Break it: a forged signature. See the 401', forged: true, write: curl },
]

/** Lists the commands. A token stands in what is copied, never in what is shown. */
export function commandList(account: Account): HTMLElement {
  const section = copy<HTMLElement>('attacks')
  section.className = 'commands'
  find(section, 'h3').textContent = 'In your terminal'
  const announce = element('p', '', 'spoken')
  announce.role = 'status'
  find(section, 'ul').append(...commands.map((command) => commandRow(command, account, announce)))
  section.append(announce)
  return section
}

function commandRow({ title, forged, write }: Command, account: Account, announce: HTMLElement): HTMLElement {
  const row = copy<HTMLElement>('command')
  const button = find<HTMLButtonElement>(row, 'button')
  find(row, 'h4').textContent = title
  find(row, 'pre').ariaLabel = title
  button.ariaLabel = `Copy: ${title}`
  const show = () => {
    find(row, 'code').textContent = write(account.current ? mask(account.current.token) : '…', location.host)
  }
  button.addEventListener('click', async () => {
    const signedIn = account.require()
    if (!signedIn) return
    const token = forged ? forge(signedIn.token) : signedIn.token
    const copied = navigator.clipboard.writeText(write(token, location.host))
    const isCopied = await copied.then(
      () => true,
      () => false,
    )
    announce.textContent = isCopied ? 'Copied, with your token in it.' : 'The browser did not allow it.'
    button.textContent = isCopied ? 'Copied' : 'Not allowed'
    setTimeout(() => {
      button.textContent = 'Copy'
    }, 2000)
  })
  account.onChange(show)
  show()
  return row
}
