/**
 * Runs in the page: every text that is seen and whose contrast with its background is under what WCAG 2.2 asks at level
 * AA (success criterion 1.4.3: 4.5, or 3 where it is large). Disabled controls are exempt there.
 */
export function lowContrast(): string[] {
  const channels = (color: string) => (color.match(/[\d.]+/g) ?? []).map(Number)

  function luminance(color: string): number {
    const [red = 0, green = 0, blue = 0] = channels(color)
      .slice(0, 3)
      .map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
  }

  function background(element: Element | null): string {
    if (!element) return 'rgb(255, 255, 255)'
    const { backgroundColor } = getComputedStyle(element)
    return channels(backgroundColor)[3] === 0 ? background(element.parentElement) : backgroundColor
  }

  const found: string[] = []
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const element = texts.currentNode.parentElement
    const text = texts.currentNode.textContent?.trim()
    if (!text || !element?.checkVisibility() || element.closest(':disabled, template, script')) continue
    const { color, fontSize, fontWeight } = getComputedStyle(element)
    const size = Number.parseFloat(fontSize)
    const isLarge = size >= 24 || (size >= 18.66 && Number(fontWeight) >= 700)
    const [low = 0, high = 0] = [luminance(color), luminance(background(element))].sort((a, b) => a - b)
    const ratio = (high + 0.05) / (low + 0.05)
    if (ratio < (isLarge ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${color} ${text.slice(0, 40)}`)
  }
  return found
}
