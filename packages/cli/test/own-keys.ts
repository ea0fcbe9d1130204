import { json, type scratch } from './harness.ts'

/** A keystore of its own in a scratch folder, and `vaultctl` as it is run there. */
export function ownKeys(space: Awaited<ReturnType<typeof scratch>>) {
  const options = { env: { VAULT_KEYSTORE: space.at('keystore') }, cwd: space.dir }
  const ctl = <T = Record<string, unknown>>(args: readonly string[], code = 0) =>
    json<T>('vaultctl', args, code, options)
  return { options, ctl }
}
