declare module 'flow-remove-types' {
  /** The source without the types of Flow, as an object that is made a string. */
  export default function removeTypes(source: string, options: { readonly all?: boolean }): { toString(): string }
}
