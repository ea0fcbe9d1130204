import type { KeyId, Signer } from '@vault/core'
import { type AsOptions, actingAs } from './as-options.ts'
import { parseExpiry, principalOf } from './caps-options.ts'
import { EXIT, type ExitCode, UsageError } from './exit-code.ts'
import { OutputFiles, writeOutputFile } from './output-files.ts'
import type { Run } from './program.ts'
import type { ValidationOptions } from './validation-options.ts'

interface IssueOptions extends AsOptions, ValidationOptions {
  readonly to: string
  readonly action: string
  /** A vault. */
  readonly object?: string
  readonly delegate?: boolean
  readonly expires: string
  readonly out?: string
}

const KEPT_NOWHERE = 'The certificate is kept nowhere: nothing was granted. Issue it again.'

/** Writes a certificate by which somebody may bring vaults to a place: by its key, or by one of one's own that it trusts. */
export async function issueForPlace({ output, signal }: Run, dir: string, options: IssueOptions): Promise<ExitCode> {
  const { object: vault, out, delegate = false } = options
  const { encodeEnvelope, isContentId } = await import('@vault/core')
  if (options.action !== 'write') throw new UsageError('A place grants write, to bring vaults: leave the rest to them.')
  if (options.validatedBy !== undefined || options.maxAge !== undefined)
    throw new UsageError('--validated-by is for certificates of a vault: those of a place are kept nowhere.')
  if (out === undefined) throw new UsageError('A certificate of a place is kept nowhere: name a file with --out.')
  if (vault !== undefined && !isContentId(vault))
    throw new UsageError('With --place, --object names a vault by its id.')
  await OutputFiles.expect(out)
  const { issuePlaceGrant } = await import('@vault/embedded')
  const to = await principalOf(options.to, options, { place: () => placeKey(dir) })
  const expires = parseExpiry(options.expires, new Date())
  const signer = await signerFor(dir, options)
  const grant = { to, delegate, expires, ...(vault !== undefined && { vault }) }
  const { id, envelope } = await issuePlaceGrant(grant, signer, { signal })
  await writeOutputFile(out, encodeEnvelope(envelope), KEPT_NOWHERE)
  const until = expires?.toISOString() ?? null
  await output.result(
    { ok: true, id, issuer: signer.key, file: out, expires: until, findings: [] },
    `Issued ${id} by ${signer.key}, ${until === null ? 'for ever' : `until ${until}`}. It is in ${out}, to be shown with --proof.`,
  )
  return EXIT.ok
}

/** Writes a certificate by which somebody is called by a name of the place's key, or of one of one's own that it trusts. */
export async function nameForPlace(
  { output, signal }: Run,
  dir: string,
  options: AsOptions & Pick<IssueOptions, 'to' | 'expires' | 'out'> & { readonly name: string },
): Promise<ExitCode> {
  const { name, out } = options
  if (out === undefined) throw new UsageError('A certificate of a place is kept nowhere: name a file with --out.')
  await OutputFiles.expect(out)
  const { encodeEnvelope } = await import('@vault/core')
  const { issuePlaceName } = await import('@vault/embedded')
  const to = await principalOf(options.to, options, { place: () => placeKey(dir) })
  const expires = parseExpiry(options.expires, new Date())
  const signer = await signerFor(dir, options)
  const { id, envelope } = await issuePlaceName({ name, to, expires }, signer, { signal })
  await writeOutputFile(out, encodeEnvelope(envelope), KEPT_NOWHERE)
  const until = expires?.toISOString() ?? null
  await output.result(
    { ok: true, id, name, issuer: signer.key, file: out, expires: until },
    `${options.to} is called ${name} by ${signer.key}, ${until === null ? 'for ever' : `until ${until}`}: certificate ${id}. It is in ${out}, to be shown with --proof.`,
  )
  return EXIT.ok
}

/** Takes such a certificate back, at this place. */
export async function revokeForPlace(
  { output, signal }: Run,
  dir: string,
  { certificate, ...options }: AsOptions & { readonly certificate: string },
): Promise<ExitCode> {
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
