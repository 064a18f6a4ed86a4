/** A name for a connection or a refusal: 128 random bits in base64url. */
export const newId = (random: (bytes: number) => Uint8Array): string => Buffer.from(random(16)).toString('base64url')
