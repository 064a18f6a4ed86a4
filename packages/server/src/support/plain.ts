import { kindOf } from './kind-of.js'

const maxDepth = 100

/**
 * Finds what would not come back from JSON (RFC 8259) as it is: a `Date`, a `Map`, an instance of a class, NaN. Answers
 * where it is and what; `undefined` when all is plain data. A field that is `undefined` counts as absent.
 */
export function findUnplain(value: unknown, where: string, depth = 0): string | undefined {
  if (typeof value === 'string' || typeof value === 'boolean' || value === null) return undefined
  if (Number.isFinite(value)) return undefined
  if (typeof value !== 'object') return `${where} is ${kindOf(value)}`
  if (depth > maxDepth) return `${where} is nested too deeply, or holds itself`
  const isList = Array.isArray(value)
  if (!isList && !isPlain(value)) return `${where} is a ${value.constructor?.name || 'class instance'}`
  for (const [name, part] of Object.entries(value)) {
    if (part === undefined && !isList) continue
    const found = findUnplain(part, isList ? `${where}[${name}]` : `${where}.${name}`, depth + 1)
    if (found) return found
  }
  return undefined
}

/** Whether an object is nothing but its fields, of whatever realm. */
function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || Object.getPrototypeOf(prototype) === null
}
