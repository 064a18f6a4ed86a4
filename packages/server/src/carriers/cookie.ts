import { type Handshake, isBlank, trimmed } from '../handshake/request.js'
import { ConfigurationError } from '../support/errors.js'
import { absent, type Carrier, found, malformed, type Reading } from './carrier.js'

/** The name of a cookie, or a pattern that all of a name has to match. */
export type CookieName = string | RegExp

/** Checks the name of a cookie, which is a token (RFC 6265 section 4.1.1), or a pattern that remembers nothing. */
export function checkedCookieName<N extends CookieName>(owner: string, option: string, name: N): N {
  const works = name instanceof RegExp ? !name.global && !name.sticky : typeof name === 'string' && token.test(name)
  if (works) return name
  throw new ConfigurationError(
    'cookie-name',
    `${owner}: ${option} is ${name}; give a cookie's name, or a pattern without the flags g and y, which make it remember`,
  )
}

const token = /^[!#$%&'*+\-.^_`|~\w]+$/

/**
 * Reads the cookie `name` (RFC 6265 section 4.2.1), its name compared byte by byte, or its chunks, joined in order. The
 * same name twice is malformed: one of the two may have been planted from a sibling domain. So is a chunk too few or too
 * many, and a second cookie that matches.
 */
export function cookieCarrier(name: CookieName): Carrier {
  const isName = typeof name === 'string' ? (text: string) => text === name : matching(name)
  return (handshake: Handshake): Reading => {
    let first: Part | undefined
    // Most have one: then no more is kept.
    let parts: Map<string, string> | undefined
    for (const [header, line] of handshake.headers) {
      if (header !== 'cookie') continue
      for (const pair of line.split(';')) {
        // Where a runtime joins several lines, there is a comma in between: then nobody knows where a value ends.
        const pieces = pair.includes(', ') ? pair.split(', ').filter((piece) => piece.includes('=')) : []
        const isJoined = pieces.length > 1
        for (const piece of isJoined ? pieces : [pair]) {
          const part = partOf(piece, isName)
          if (!part) continue
          if (isJoined) return malformed
          if (!first) {
            first = part
            continue
          }
          parts ??= new Map([[first.suffix, first.value]])
          if (first.base !== part.base || parts.has(part.suffix)) return malformed
          parts.set(part.suffix, part.value)
        }
      }
    }
    if (!first) return absent
    const isWhole = !parts && first.suffix === '' && !announcement.test(first.value)
    return isWhole ? found(first.value) : assemble(parts ?? new Map([[first.suffix, first.value]]))
  }
}

function matching({ source, flags }: RegExp): (text: string) => boolean {
  const whole = new RegExp(`^(?:${source})$`, flags)
  return (text) => whole.test(text)
}

/** A cookie that is ours, or a chunk of it. */
interface Part {
  readonly base: string
  /** What a chunk has behind the name, such as `.0` or `C1`. */
  readonly suffix: string
  readonly value: string
}

const chunk = /(?:\.|C)\d+$/

function partOf(pair: string, isName: (text: string) => boolean): Part | undefined {
  const mark = pair.indexOf('=')
  if (mark === -1) return undefined
  let start = 0
  while (isBlank(pair[start])) start += 1
  const name = pair.slice(start, mark)
  const at = isName(name) ? name.length : name.search(chunk)
  const base = at === -1 ? '' : name.slice(0, at)
  if (at === -1 || !isName(base)) return undefined
  return { base, suffix: name.slice(at), value: decode(trimmed(pair.slice(mark + 1))) }
}

// ASP.NET and h3 write how many there are, and count from one.
const announcement = /^(?:(?<dotNet>chunks[-:])|__chunked__)(?<count>[1-9]\d?)$/

function assemble(parts: ReadonlyMap<string, string>): Reading {
  const head = parts.get('')
  const { dotNet, count } = (head !== undefined && announcement.exec(head)?.groups) || {}
  const mark = dotNet ? 'C' : '.'
  const chunks = [...parts.keys()].filter((suffix) => suffix.startsWith(mark))
  if (head !== undefined && count === undefined) return chunks.length > 0 ? malformed : found(head)
  // Nobody has announced these: they are other cookies.
  if (head === undefined && chunks.length === 0) return absent
  if (count !== undefined && chunks.length !== Number(count)) return malformed
  let text = ''
  const first = count === undefined ? 0 : 1
  for (let i = first; i < first + chunks.length; i += 1) {
    const value = parts.get(`${mark}${i}`)
    if (value === undefined) return malformed
    text += value
  }
  return found(text)
}

/** Undoes the quoting and escaping that servers write cookie values with; a value that has none stays as it is. */
function decode(value: string): string {
  const plain = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value
  if (!plain.includes('%')) return plain
  try {
    return decodeURIComponent(plain)
  } catch {
    return plain
  }
}
