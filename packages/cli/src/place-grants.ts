import type { Envelope, KeyId, Signer } from '@vault/core'
import { type AsOptions, actingAs } from './as-options.ts'
import { parseExpiry, principalOf } from './caps-options.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { OutputFiles, writeOutputFile } from './output-files.ts'
import type { Run } from './program.ts'
import type { ValidationOptions } from './validation-options.ts'

/** What both kinds of certificates of a place are made of, beside what they say. */
interface Making extends AsOptions {
  readonly to: string
  readonly expires: string
  readonly out?: string
  readonly message?: string
}

const NO_FILE = 'A certificate of a place is kept nowhere: name a file with --out.'
const KEPT_NOWHERE = 'The certificate is kept nowhere: nothing was granted. Issue it again.'

interface IssueOptions extends Making, ValidationOptions {
  readonly action: string
  /** A vault. */
  readonly object?: string
  readonly delegate?: boolean
}

/** Writes a certificate by which somebody may bring vaults to a place: by its key, or by one of one's own that it trusts. */
export async function issueForPlace({ output, signal }: Run, dir: string, options: IssueOptions): Promise<ExitCode> {
  const { object: vault, delegate = false } = options
  const { isContentId } = await import('@vault/core')
  if (options.action !== 'write') throw new UsageError('A place grants write, to bring vaults: leave the rest to them.')
  if (options.validatedBy !== undefined || options.maxAge !== undefined)
    throw new UsageError('--validated-by is for certificates of a vault: those of a place are kept nowhere.')
  if (options.out === undefined) throw new UsageError(NO_FILE)
  if (vault !== undefined && !isContentId(vault))
    throw new UsageError('With --place, --object names a vault by its id.')
  const { issuePlaceGrant } = await import('@vault/embedded')
  const { id, ends, shown, ...made } = await madeForPlace(dir, options, (terms, signer) =>
    issuePlaceGrant({ ...terms, delegate, ...(vault !== undefined && { vault }) }, signer, { signal }),
  )
  await output.result({ ok: true, id, ...made, findings: [] }, `Issued ${id} by ${made.issuer}, ${ends}. ${shown}`)
  return EXIT.ok
}

/** Writes a certificate by which somebody is called by a name of the place's key, or of one of one's own that it trusts. */
export async function nameForPlace(
  { output, signal }: Run,
  dir: string,
  options: Making & { readonly name: string },
): Promise<ExitCode> {
  const { name } = options
  const { issuePlaceName } = await import('@vault/embedded')
  const { id, ends, shown, ...made } = await madeForPlace(dir, options, (terms, signer) =>
    issuePlaceName({ ...terms, name }, signer, { signal }),
  )
  await output.result(
    { ok: true, id, name, ...made },
    `${options.to} is called ${name} by ${made.issuer}, ${ends}: certificate ${id}. ${shown}`,
  )
  return EXIT.ok
}

/** Signs a certificate of a place, and writes it into the file in which alone it is kept. `ends` and `shown`: words about it. */
async function madeForPlace(
  dir: string,
  { out, message, ...options }: Making,
  sign: (
    terms: { readonly to: Awaited<ReturnType<typeof principalOf>>; readonly expires: Date | null },
    signer: Signer,
  ) => Promise<{ readonly id: string; readonly envelope: Envelope }>,
): Promise<
  Readonly<Record<'id' | 'issuer' | 'file' | 'ends' | 'shown', string>> & { readonly expires: string | null }
> {
  requireNoMessage(message)
  if (out === undefined) throw new UsageError(NO_FILE)
  await OutputFiles.expect(out)
  const { encodeEnvelope } = await import('@vault/core')
  const to = await principalOf(options.to, options, { place: () => placeKey(dir) })
  const expires = parseExpiry('--expires', options.expires, new Date())
  const signer = await signerFor(dir, options)
  const { id, envelope } = await sign({ to, expires }, signer)
  await writeOutputFile(out, encodeEnvelope(envelope), KEPT_NOWHERE)
  const until = expires?.toISOString() ?? null
  return {
    id,
    issuer: signer.key,
    file: out,
    expires: until,
    ends: until === null ? 'for ever' : `until ${until}`,
    shown: `It is in ${out}, to be shown with --proof.`,
  }
}

/** Takes such a certificate back, at this place. */
export async function revokeForPlace(
  { output, signal }: Run,
  dir: string,
  { certificate, message, ...options }: AsOptions & { readonly certificate: string; readonly message?: string },
): Promise<ExitCode> {
  requireNoMessage(message)
  const { isContentId } = await import('@vault/core')
  if (!isContentId(certificate)) throw new UsageError(`${certificate} is not the id of a certificate.`)
  const { openPlace, revokePlaceGrant } = await import('@vault/embedded')
  const signer = await signerFor(dir, options)
  await using place = await openPlace(dir, { mode: 'write' })
  const revocation = await revokePlaceGrant(place.soups.records, certificate, signer, { signal })
  await output.result(
    { ok: true, id: certificate, revocation: revocation.id, issuer: signer.key },
    `Revoked ${certificate} at ${dir}, as far as ${signer.key} issued it, or those who had it from this key.`,
  )
  return EXIT.ok
}

function requireNoMessage(message: string | undefined): void {
  if (message !== undefined) throw new UsageError('-m is for the audit log of a vault, and a place has none.')
}

/** The key of the place, or the one that was named. */
async function signerFor(dir: string, options: AsOptions): Promise<Signer> {
  const acting = await actingAs(options)
  if (acting !== undefined) {
    const [signer, ...others] = acting.as
    if (signer === undefined || others.length > 0) throw new UsageError('For a place one key signs.')
    return signer
  }
  const { openKey } = await import('@vault/embedded')
  return await openKey({ dir, role: 'place', key: await placeKey(dir) })
}

async function placeKey(dir: string): Promise<KeyId> {
  const { openPlace } = await import('@vault/embedded')
  await using place = await openPlace(dir, { mode: 'read' })
  return place.info.key
}
