import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { AbortOptions } from '@vault/core'
import { openFsCas } from '@vault/store-fs'
import { openSqliteSoupStore } from '@vault/store-sqlite'
import type { PlaceErrorCode } from './place.ts'
import { systemError } from './system-error.ts'

/** One promise of a store, and whether it was kept. */
export interface StoreCheck {
  readonly store: 'cas' | 'soup'
  readonly name: string
  readonly ok: boolean
  /** What was seen instead, where it was not kept. */
  readonly message?: string
}

/** A promise with the work that shows whether it is kept, in a new folder of its own. */
interface Case {
  readonly store: StoreCheck['store']
  readonly name: string
  run(dir: string): Promise<void>
}

const PREFIX = '.vault-check-'

/**
 * Whether both stores keep their promises on the disk of this folder: the contract suites of `@vault/cas` and `@vault/soup`,
 * each case over new stores in a folder that is made in this one, and taken away at the end. Looks at nothing else that
 * is there. A process that is killed leaves a folder `.vault-check-…`. Throws `VAULT_INACCESSIBLE`.
 */
export async function* checkStore(
  dir: string,
  options: AbortOptions = {},
): AsyncGenerator<StoreCheck & { readonly of: number }> {
  const cases = await allCases()
  const scratch = await mkdtemp(join(dir, PREFIX)).catch((cause: unknown) => {
    throw systemError<PlaceErrorCode>('VAULT_INACCESSIBLE', dir, cause)
  })
  try {
    for (const [i, { store, name, run }] of cases.entries()) {
      options.signal?.throwIfAborted()
      const message = await messageOf(run, join(scratch, `${i}`))
      yield { store, name, ok: message === undefined, of: cases.length, ...(message !== undefined && { message }) }
    }
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

/** What a case says against the store; `undefined` where it is content. Its folder is gone afterwards. */
async function messageOf(run: Case['run'], dir: string): Promise<string | undefined> {
  try {
    await mkdir(dir, { mode: 0o700 })
    await run(dir)
    await rm(dir, { recursive: true })
    return undefined
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Loaded only here: nobody else who opens a vault needs the suites. */
async function allCases(): Promise<readonly Case[]> {
  const { casContract } = await import('@vault/cas/testing')
  const { soupContract } = await import('@vault/soup/testing')
  const cas = casContract.map(
    ({ name, run }): Case => ({
      store: 'cas',
      name,
      async run(dir) {
        await using store = await openFsCas({ dir, mode: 'write' })
        await run(store)
      },
    }),
  )
  const soup = soupContract.map(
    ({ name, run }): Case => ({
      store: 'soup',
      name,
      async run(dir) {
        await using store = await openSqliteSoupStore({ path: join(dir, 'soup.sqlite'), mode: 'create' })
        await run(store)
      },
    }),
  )
  return [...cas, ...soup]
}
