/** `true` when two types are the same: not merely assignable, and `any` is equal to nothing but itself. */
export type Equals<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false

/** `true` for `any` alone: only there may 1 stand where 0 does. */
export type IsAny<T> = 0 extends 1 & T ? true : false

/** Compiles when it is `true`. */
export function expectTrue<T extends true>(_?: T): void {}

/** Compiles when it is `false`. */
export function expectFalse<T extends false>(_?: T): void {}

expectTrue<Equals<{ a: 1 }, { a: 1 }>>()
expectFalse<Equals<{ a: 1 }, { a?: 1 }>>()
expectFalse<Equals<{ a: 1 }, { readonly a: 1 }>>()
expectFalse<Equals<unknown, never>>()
// biome-ignore lint/suspicious/noExplicitAny: the guard against `any` must know one
type Any = any
expectTrue<IsAny<Any>>()
expectFalse<IsAny<unknown>>()
expectFalse<IsAny<never>>()
expectFalse<Equals<Any, { a: 1 }>>()
