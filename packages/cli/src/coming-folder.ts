import type { KeyId, Signer } from '@vault/core'
import { UsageError } from './exit-code.ts'
import { warningOf } from './failure.ts'
import type { MoveVerb } from './move-on.ts'
import { endsOf, type MoveOptions, seatFrom } from './move-options.ts'
import type { MovingServer } from './moving-server.ts'
import type { Output } from './output.ts'
import type { Run } from './program.ts'
import { addressOf, httpOptions, keyOf, serverKey } from './remote-end.ts'
import { remoteVault } from './remote-place.ts'
import { requireParent } from './require-parent.ts'
import { LEAVING, requireServed } from './served-options.ts'

const SERVE_HERE =
  'serve --to, and run this on the machine of the server, with its folder as --from and that address as --to'

/** What is wanted of a server and the place that its vault goes to. */
export type ServerVerb = MoveVerb | 'plan'

/**
 * A folder that comes for a vault which lies at a server: it opens the connections over which that moves the vault, so that it need not be
 * reached from there. The server knows it by the key of its place, which `run` makes where there is none, and told where it is not let in.
 */
export async function comingFolder(run: Run, options: MoveOptions, verb: ServerVerb): Promise<MovingServer> {
  const { output, signal } = run
  const { from, to } = endsOf(options)
  requireServed(options, { ...LEAVING, ceremony: ['--ceremony', SERVE_HERE] })
  if ((options.as ?? []).length > 0 || options.place !== undefined)
    throw new UsageError(`--as and --place are for two servers: ${from} is shown the key of the place in ${to}.`)
  // How much comes is for the server to bound.
  const { bwlimit: _, fromKey, peerKey = fromKey, ...reached } = options
  if (fromKey !== undefined && fromKey !== peerKey)
    throw new UsageError('--from-key and --peer-key are both the key of the server: name it once.')
  const { origin } = new URL(addressOf(from))
  const key = serverKey(peerKey)
  const signer = await keyIn(to, { verb, output })
  const http = await httpOptions({ ...reached, peerKey: key }, signer)
  const { httpPlace } = await import('@vault/migration/http')
  const { startReverseServer } = await import('@vault/server')
  await using opened = new AsyncDisposableStack()
  const place = opened.use(httpPlace(origin, http))
  const vault = await remoteVault(from, place, { signal, letIn: lettingCome(signer.key) })
  const coming = opened.use(
    await startReverseServer({
      dir: to,
      url: origin,
      vault,
      peerKey: key,
      ...(http.proofs && { proofs: http.proofs }),
      ...(http.timeouts && { timeouts: http.timeouts }),
      seat: seatFrom(options, output),
      failed: warningOf(output),
    }),
  )
  const asking = new AbortController()
  coming.offering.catch((error: unknown) => asking.abort(error))
  let isPassing = false
  const stop = () => {
    if (!isPassing) return asking.abort(signal.reason)
    output.warn('That is ended first: the vault may be active nowhere until then.')
  }
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  opened.defer(() => signal.removeEventListener('abort', stop))
  const passes = () => {
    isPassing = true
  }
  const ends = opened.move()
  const dispose = () => ends[Symbol.asyncDispose]()
  return {
    place,
    vault,
    from,
    fromKey: key,
    to: { key: coming.key },
    toName: to,
    signal: asking.signal,
    passes,
    [Symbol.asyncDispose]: dispose,
  }
}

/** The options by which a server lets a place come for vaults. */
function lettingCome(key: KeyId): string {
  return `--allow-moves ${key} --move-to ${key}`
}

/** The key of the place in a folder. Where there is none, `run` makes one, and nothing else can be done with it. */
async function keyIn(
  dir: string,
  { verb, output }: { readonly verb: ServerVerb; readonly output: Output },
): Promise<Signer> {
  const { isVaultError } = await import('@vault/core')
  const { openOrCreatePlace, openPlace } = await import('@vault/embedded')
  try {
    await using place = await openPlace(dir, { mode: 'read' })
    return await keyOf(place)
  } catch (error) {
    if (!isVaultError(error, 'VAULT_NOT_FOUND')) throw error
  }
  if (verb === 'plan')
    throw new UsageError(
      `In ${dir} is no place yet, by whose key a server could know it: "vault-migrate run" makes one, and says what to do.`,
    )
  if (verb !== 'run')
    throw new UsageError(
      `In ${dir} is no place that a vault was moving to. Where it is gone for good, the migration is given up on the machine of the server: "vault-migrate rollback --without-target", with the folder that it serves as --from.`,
    )
  await requireParent(dir)
  await using place = await openOrCreatePlace(dir)
  output.note(`A place was made in ${dir}, which servers know by its key ${place.info.key}.`)
  return await keyOf(place)
}
