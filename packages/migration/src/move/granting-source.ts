import type { AbortOptions, Bytes, ContentId, Link } from '@vault/core'
import { encode, hashBytes, link, toHex, VaultError } from '@vault/core'
import type { MigrationErrorCode } from '../error.ts'
import type { AuditNote } from './audit-note.ts'
import { authorityNote } from './audit-note.ts'
import type { MoveSource } from './move-endpoint.ts'
import type { MoveParts, Work } from './work.ts'

/** The last certificate of a chain, and to whom it grants. */
export interface ChainEnd {
  readonly certificate: ContentId
  readonly subject: string
}

/** One from which so much was granted on that not all of it was judged. */
export interface UnlistedChain extends ChainEnd {
  /** Its certificates from the root on, with the last. */
  readonly chain: readonly ContentId[]
}

/** What becomes of what was granted in a vault when other keys act for it. */
export interface AuthorityChange {
  /** How many chains grant what they did. */
  readonly kept: number
  /** Those that grant it no more (M071). */
  readonly broken: readonly ChainEnd[]
  /** Those that would grant what was not granted before. */
  readonly gained: readonly ChainEnd[]
  /** Those of which it is not known what becomes of all that was granted on by them. */
  readonly unlisted: readonly UnlistedChain[]
}

/** A source that knows what was granted in its vault. */
export interface GrantingSource extends MoveSource {
  /** Judges every chain as it will be when this key event counts, and the vault is at another place (M068–M070). */
  authorityAfter(keyEvent: Uint8Array, options?: AbortOptions): Promise<AuthorityChange>
}

// An entry of a log is small, and whoever reads one wants to know which, and not ten thousand. A council is as long as its members are many.
const MAX_NAMED = 256
const MAX_TOLD = 20_000

/**
 * Refuses a hand-off with which somebody would lose what was granted to him, unless each such certificate is allowed to break, or would
 * gain anything. What was granted on from one and not judged may have broken as well: so that one, or one above it, has to be allowed.
 * Gives what the audit trail is told; `undefined` where the source knows nothing of grants. Throws `MIGRATION_CHAINS_BROKEN`.
 */
export async function requireChains(work: Work, keyEvent: Bytes): Promise<AuditNote | undefined> {
  const { plan, parts, options } = work
  if (!isGranting(parts.source)) return undefined
  const change = await parts.source.authorityAfter(keyEvent, options)
  const allowed = new Set<string>(parts.allowBroken)
  const refused = change.broken.filter(({ certificate }) => !allowed.has(certificate))
  const unlisted = change.unlisted.filter(({ chain }) => !chain.some((certificate) => allowed.has(certificate)))
  if (refused.length > 0 || change.gained.length > 0 || unlisted.length > 0)
    throw chainsBroken(parts, { broken: refused, gained: change.gained, unlisted })
  const parameters = {
    kept: change.kept,
    broken: change.broken.length,
    ...(change.broken.length > 0 && { chains: ends(change.broken) }),
    ...(change.unlisted.length > 0 && {
      unlisted: change.unlisted.length,
      unlisted_chains: ends(change.unlisted),
    }),
  }
  // Said again where it has changed since: an entry is made once for each key.
  return authorityNote(plan, toHex(hashBytes('sha2-256', encode(parameters)).subarray(0, 8)), parameters)
}

/** As many as an entry has room for. */
function ends(chains: readonly ChainEnd[]): readonly { readonly certificate: Link; readonly subject: string }[] {
  let told = 0
  const named = chains.slice(0, MAX_NAMED).filter(({ certificate, subject }) => {
    told += certificate.length + subject.length
    return told <= MAX_TOLD
  })
  return named.map(({ certificate, subject }) => ({ certificate: link(certificate), subject }))
}

function isGranting(source: MoveSource): source is GrantingSource {
  return 'authorityAfter' in source
}

function chainsBroken(
  { source }: MoveParts,
  { broken, gained, unlisted }: Readonly<Record<'broken' | 'gained' | 'unlisted', readonly ChainEnd[]>>,
): VaultError<MigrationErrorCode> {
  const named = (chains: readonly ChainEnd[]) =>
    chains
      .slice(0, 3)
      .map(({ certificate, subject }) => `${certificate} to ${subject}`)
      .join('; ')
      .concat(chains.length > 3 ? `; and ${chains.length - 3} more` : '')
  const said = [
    ...(broken.length === 0 ? [] : [`Broken delegation chain, with the keys that follow: ${named(broken)}.`]),
    ...(gained.length === 0 ? [] : [`These would grant more than they do: ${named(gained)}.`]),
    ...(unlisted.length === 0
      ? []
      : [`So much was granted on from these that not all of it was judged: ${named(unlisted)}.`]),
  ].join(' ')
  const ids = (chains: readonly ChainEnd[]) => chains.slice(0, MAX_NAMED).map(({ certificate }) => certificate)
  return new VaultError({
    code: 'MIGRATION_CHAINS_BROKEN',
    message: `${said} Nothing was handed off by ${source.label}: grant it anew in the name of the vault, revoke it, or allow each one that may break, and go on.`,
    details: { broken: ids(broken), gained: ids(gained), unlisted: ids(unlisted) },
  })
}
