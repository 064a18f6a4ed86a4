/** Where a page says more about a reason or about the code of a configuration error. */
export const helpAddress = (slug: string): string =>
  `https://github.com/sallyport/sallyport/blob/main/docs/errors/${slug}.md`
