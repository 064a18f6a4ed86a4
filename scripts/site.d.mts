/** Builds the site. Ends the process when a link leads nowhere, or anything else is wrong. */
export function buildSite(): Promise<void>
