/** A text with one of its characters changed to another letter, so that what is random never comes out as it was. */
export function altered(text: string, at: number): string {
  const characters = [...text]
  return characters.with(at, characters.at(at) === 'A' ? 'B' : 'A').join('')
}
