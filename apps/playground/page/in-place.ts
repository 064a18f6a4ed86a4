/** Keeps an element where it is in the window while something runs, whatever grows or shrinks above it. */
export async function stayInPlace(element: Element, run: () => Promise<void>): Promise<void> {
  const { style } = document.documentElement
  let place = element.getBoundingClientRect().top
  let scrolled = window.scrollY
  let frame = requestAnimationFrame(look)

  function look(): void {
    // Whoever has scrolled meant to.
    place -= window.scrollY - scrolled
    window.scrollBy({ top: element.getBoundingClientRect().top - place, behavior: 'instant' })
    scrolled = window.scrollY
    frame = requestAnimationFrame(look)
  }

  // Browsers do the same, for an element of their own choice.
  style.overflowAnchor = 'none'
  await run()
  // The last change is laid out with the next frame.
  await new Promise(requestAnimationFrame)
  cancelAnimationFrame(frame)
  style.overflowAnchor = ''
}
