import type { ChildProcess } from 'node:child_process'

/** The program that a variable of the environment names, or where Debian has it. */
export const programOf = (variable: string, debian: string): string => process.env[variable] || debian

/** Signals a program, and every process that it has started: it leads a group of its own. */
export function signalAll({ pid, exitCode }: ChildProcess, name: NodeJS.Signals): void {
  if (pid !== undefined && exitCode === null) process.kill(-pid, name)
}
