import { type Random, randomText } from './random.js'

/** A name for a connection or a refusal: 128 random bits in base64url. */
export const newId = (random: Random): string => randomText(random, 16)
