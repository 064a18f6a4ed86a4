/** What a bearer credential is made of: `b64token` of RFC 6750 section 2.1. */
export const b64token = /^[A-Za-z0-9\-._~+/]+=*$/
