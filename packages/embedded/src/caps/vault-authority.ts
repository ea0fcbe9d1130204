import {
  type AbortOptions,
  type AuthorityRequest,
  type Authorize,
  type Bytes,
  encodeEnvelope,
  type Grant,
  isVaultError,
  type KeyId,
  type Signer,
  VaultError,
} from '@vault/core'
import {
  authorize,
  type CapsErrorCode,
  type CapsFindingCode,
  createCapRequest,
  createNonceLedger,
  type Verdict,
} from '@vault/spki-caps'
import { openKey } from '../keystore.ts'
import { owner } from '../owner.ts'
import { deniedHere } from './revocation-standing.ts'
import type { VaultCaps, Wish } from './vault-caps.ts'

/** Milliseconds for which a signed request is good, and an answer is remembered: sets of revocations grow old meanwhile. */
const REQUEST_LIFE = 5 * 60 * 1000

/** A grant with the request that whoever asked has signed, for the log. */
export interface SignedGrant extends Grant {
  /** The keys that asked, where that is proven. */
  readonly keys?: readonly KeyId[]
  readonly request?: Bytes
}

/**
 * The `Authorize` of a vault in a place. Whoever signs is granted what a chain of certificates grants. Whoever does not speaks with the
 * key of the place: by its root certificate, or, where it has none that counts, as the `owner` who can open the folder, which
 * is not proven. A root certificate that was revoked, or a key of the place that was, is the end of both; where one cannot be read nobody knows
 * that, and only reading is left.
 *
 * What was granted is remembered as long as it holds and neither keys nor revocations have changed: asking again reads those.
 */
export function vaultAuthority(caps: VaultCaps, signers: readonly Signer[] = []): Authorize {
  const given = new Map<string, { readonly grant: SignedGrant; readonly print: string; readonly until: number }>()
  const nonces = createNonceLedger()
  const placeKey = memoized(() => holdsPlaceKey(caps))

  const decide = async (request: AuthorityRequest, options: AbortOptions): Promise<SignedGrant> => {
    const asking = [...request.signers, ...(request.approvals ?? [])]
    // Another vault, into which a part of this one goes, is asked by whoever opened it.
    if (asking.length === 0 && signers.length === 0) {
      return request.object === caps.parts.vault
        ? await byPlace(caps, request, placeKey, options)
        : await owner(request)
    }
    if (signers.length > 0) return await bySignature(caps, request, { signers, nonces }, options)
    const { verdict } = await caps.ask(asking, wishOf(request), options)
    if (!verdict.ok) throw await deniedHere(caps, request, verdict, options)
    return grantOf(request, verdict, asking)
  }

  return async (request, options = {}) => {
    const print = await caps.print(options)
    const name = JSON.stringify([request.action, request.object, request.path, request.signers, request.approvals])
    const known = given.get(name)
    const at = request.at.getTime()
    if (known?.print === print && at < known.until) return known.grant
    const grant = await decide(request, options)
    given.set(name, { grant, print, until: Math.min(at + REQUEST_LIFE, grant.expires?.getTime() ?? Infinity) })
    return grant
  }
}

async function byPlace(
  caps: VaultCaps,
  request: AuthorityRequest,
  holdsKey: () => Promise<boolean>,
  options: AbortOptions,
): Promise<SignedGrant> {
  const root = await caps.rootStanding(options, wishOf(request))
  const place = [caps.parts.place.info.key]
  if (root.standing === 'unreadable') {
    const { verdict } = await caps.ask(place, wishOf(request), options)
    if (verdict.ok && (await holdsKey())) return grantOf(request, verdict, place)
    // Somebody has to be able to see what is wrong.
    if (request.action === 'read') return await owner(request)
    throw unreadableRoot(request, caps.parts.place.dir)
  }
  if (!('verdict' in root)) return await owner(request)
  if (root.verdict.ok) return (await holdsKey()) ? grantOf(request, root.verdict, place) : await owner(request)
  // What was revoked may have been granted to the place again, or a part of it.
  const { verdict } = await caps.ask(place, wishOf(request), options)
  if (!verdict.ok) throw await deniedHere(caps, request, root.verdict, options)
  if (await holdsKey()) return grantOf(request, verdict, place)
  throw await deniedHere(caps, request, root.verdict, options)
}

function unreadableRoot({ action, object }: AuthorityRequest, dir: string): VaultError<CapsErrorCode> {
  return new VaultError({
    code: 'CAPS_DENIED',
    message: `${action} on ${object} is not granted: the root certificate of the place in ${dir} cannot be read, so nobody knows whether it was taken back. The vault can be read, and whoever was granted it goes on (--as). "vaultctl doctor ${dir}" says what to do.`,
    details: { code: 'CAPS_MALFORMED' satisfies CapsFindingCode },
  })
}

async function bySignature(
  caps: VaultCaps,
  request: AuthorityRequest,
  { signers, nonces }: { readonly signers: readonly Signer[]; readonly nonces: ReturnType<typeof createNonceLedger> },
  options: AbortOptions,
): Promise<SignedGrant> {
  const { vault, random } = caps.parts
  const { action, object, path = [], at } = request
  const envelope = await createCapRequest(
    {
      audience: vault,
      action,
      object: { path: [object, ...path] },
      nonce: random(16),
      at,
      expires: new Date(at.getTime() + REQUEST_LIFE),
    },
    signers,
    options,
  )
  const wish = wishOf(request)
  const { verdict: nearest, proof } = await caps.ask(
    signers.map(({ key }) => key),
    wish,
    options,
  )
  if (!nearest.ok) throw await deniedHere(caps, request, nearest, options)
  const verdict = authorize({
    ...(await caps.circumstances(options)),
    request: envelope,
    proof: proof.map((cert) => cert.envelope),
    audience: vault,
    nonces,
    now: at,
  })
  if (!verdict.ok) throw await deniedHere(caps, request, verdict, options)
  const keys = signers.map(({ key }) => key)
  return {
    ...grantOf(request, verdict, keys),
    request: encodeEnvelope(envelope),
  }
}

function wishOf({ action, object, path = [] }: AuthorityRequest): Wish {
  return { action, object, path }
}

function grantOf(
  { action, object }: AuthorityRequest,
  { effective: { expires } }: Extract<Verdict, { readonly ok: true }>,
  keys: readonly KeyId[],
): SignedGrant {
  return { action, object, ...(expires === null ? {} : { expires: new Date(expires * 1000) }), proven: true, keys }
}

/** Whether the secret key of the place lies where it belongs. Without it whoever opened the folder is trusted, and not proven. */
async function holdsPlaceKey(caps: VaultCaps): Promise<boolean> {
  const { dir, info } = caps.parts.place
  try {
    await openKey({ dir, role: 'place', key: info.key })
    return true
  } catch (error) {
    if (isVaultError(error) || (error as NodeJS.ErrnoException).code !== undefined) return false
    throw error
  }
}

function memoized<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make()
    return made
  }
}
