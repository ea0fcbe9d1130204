import { json, type scratch } from './harness.ts'
import { type Served, vaultIn } from './serving.ts'

type Space = Awaited<ReturnType<typeof scratch>>

export interface Servers {
  readonly me: string
  readonly vault: string
  readonly placeOfA: string
  readonly keystore: readonly string[]
}

/** A vault in A, a key of the user's own, and no machine that has both. */
export async function prepared(space: Space, files: number): Promise<Servers> {
  const placeOfA = await vaultIn(space, files)
  const { vault } = await json<{ vault: string }>('vaultctl', ['status', space.at('A')])
  const keystore = ['--keystore', space.at('keys')]
  const { key: me } = await json<{ key: string }>('vaultctl', ['keys', 'new', 'me', '--no-passphrase', ...keystore])
  return { me, vault, placeOfA, keystore }
}

/** A command about both servers, as the user. */
export const between = ({ keystore }: Servers, a: Served, b: Served, verb = 'run') => [
  verb,
  ...['--from', a.url, '--from-key', a.key, '--to', b.url, '--peer-key', b.key],
  ...['--as', 'me', ...keystore, '--timeout', '20'],
]
