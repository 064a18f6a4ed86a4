/** The one element that `selector` names under `root`. */
export function find<E extends Element>(root: ParentNode, selector: string): E {
  const element = root.querySelector<E>(selector)
  if (!element) throw new Error(`the page has no ${selector}`)
  return element
}

/** A copy of what stands in `<template id="…">`. */
export function copy<E extends Element>(template: string): E {
  const { content } = find<HTMLTemplateElement>(document, `template#${template}`)
  return document.importNode(content, true).firstElementChild as E
}

/** An element with text and classes. */
export function element<K extends keyof HTMLElementTagNameMap>(tag: K, text = '', ...classes: string[]) {
  const made = document.createElement(tag)
  made.textContent = text
  made.classList.add(...classes)
  return made
}
