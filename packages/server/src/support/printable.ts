const unprintable = /[^\x20-\x7e]/g
const escaped = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`

/** Foreign text for a log: in printable ASCII, all else escaped, and cut after `max` characters. */
export function printable(text: string, max: number): string {
  const safe = text.slice(0, max).replace(unprintable, escaped)
  return text.length > max || safe.length > max ? `${safe.slice(0, max)}...` : safe
}
