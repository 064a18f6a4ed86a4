import type { Dialect } from './dialect.js'

/** Sallyport's own frames, beside whatever the application speaks. */
export const plain: Dialect = { closeCodes: {} }
