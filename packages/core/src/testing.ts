import { isVaultError } from './error.ts'

/**
 * One promise of a port as a program: a suite is an array of these, runnable by any test runner and on a live store.
 * `run` gets a fresh subject and throws where the promise is broken.
 */
export interface ContractCase<Subject> {
  readonly name: string
  run(subject: Subject): Promise<void>
}

/** Throws unless the condition holds. */
export function assertThat(condition: boolean, message: string): asserts condition {
  if (!condition) throw new Error(message)
}

/** Throws unless both print the same JSON; bytes print as their numbers. */
export function assertSame(actual: unknown, expected: unknown, message: string): void {
  const [a, b] = [actual, expected].map((value) => JSON.stringify(value))
  assertThat(a === b, `${message}: expected ${b}, got ${a}`)
}

/** Throws unless the promise is rejected with a `VaultError` of this code. */
export async function assertRejects(promise: Promise<unknown>, code: string, message: string): Promise<void> {
  const outcome: unknown = await promise.then(
    () => 'no error',
    (error: unknown) => (isVaultError(error) ? error.code : error),
  )
  assertThat(outcome === code, `${message}: expected ${code}, got ${String(outcome)}`)
}
