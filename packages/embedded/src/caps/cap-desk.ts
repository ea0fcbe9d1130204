import type { AbortOptions, ContentId, Envelope, Signer } from '@vault/core'
import {
  createApproval,
  createStandingMandate,
  type OpenCapCert,
  openApproval,
  openStandingMandate,
  type Principal,
  type RevocationReason,
} from '@vault/spki-caps'
import type { Act, Reason } from '../act.ts'
import type { Leaves } from '../leaves.ts'
import type { Leave, Recorder } from '../recorder.ts'
import { mandateFor } from './approvals.ts'
import { bestDraft } from './best-draft.ts'
import { approvalEntry, bringing, mandateEntry } from './cap-entry.ts'
import { butFewOperators, halvesAdvice, issuersOf, operatorsAs, vaultIssuer } from './cap-issuer.ts'
import { type CapCalling, draftName, type IssuedName } from './define-name.ts'
import { type CapGrant, type CapIssuer, draftCap, type IssuedCap } from './issue-cap.ts'
import { type CapNarrowing, holderOf, narrowedGrant } from './narrow-cap.ts'
import { draftRevocationSet, type PublishedRevocations } from './publish-revocations.ts'
import { revivedBy } from './revived-by.ts'
import { deniedHere } from './revocation-standing.ts'
import { draftRevocation, knownCap, type RevokedThing } from './revoke-cap.ts'
import { draftValidation, type ValidatedCap, type Validating } from './validate-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** Who signs a certificate or revocation. */
export interface SigningOptions extends AbortOptions, Reason {
  /** Default: the vault's operators, whose keys lie in the place. */
  readonly signers?: readonly Signer[]
  /** Opens the operators' keys: asked once, and only where one is sealed. */
  readonly passphrase?: () => Promise<string | undefined>
}

/** What is approved: an act by the id of its plan, until when. */
export interface Approving {
  readonly action: MandatedAction
  readonly act: ContentId
  readonly expires: Date
}

/** How many others approve an act of a kind before it is done; 0: nobody any more. */
export interface Mandating {
  readonly action: MandatedAction
  readonly approvals: number
}

/** What can be made to need approvals: only what is held to it. */
export type MandatedAction = 'migrate'

/** Where certificates and revocations come into a vault, each with its entry in the log: what the methods of `Vault` of these names do. */
export class CapDesk {
  readonly #caps: VaultCaps
  readonly #leaves: Leaves
  readonly #recorder: Recorder

  constructor({ caps, leaves, recorder }: { caps: VaultCaps; leaves: Leaves; recorder: Recorder }) {
    this.#caps = caps
    this.#leaves = leaves
    this.#recorder = recorder
  }

  async issue(grant: CapGrant, options: SigningOptions): Promise<IssuedCap> {
    const { signal, signers } = options
    const leave = await this.#leaves.bySignature(signers, options)
    try {
      return await this.#issue(grant, await this.#issuers(options), leave, options)
    } catch (error) {
      throw await butFewOperators(error, this.#caps, { signers, further: halvesAdvice }, { signal })
    }
  }

  async attenuate(
    id: ContentId,
    narrowing: CapNarrowing,
    options: SigningOptions & { readonly signers: readonly Signer[] },
  ): Promise<IssuedCap> {
    const { signal, signers } = options
    const leave = await this.#leaves.bySignature(signers, { signal })
    const cert = await knownCap(this.#caps, id, { signal })
    const issuer = await this.#holder(cert, signers, { signal })
    return await this.#issue(
      narrowedGrant(cert, narrowing, this.#caps.parts.vault),
      [{ issuer, signers }],
      leave,
      options,
    )
  }

  async revoke(
    target: RevokedThing,
    options: SigningOptions & { readonly reason?: RevocationReason },
  ): Promise<{ readonly id: ContentId }> {
    const { signal, signers, reason = 'cessation' } = options
    const leave = await this.#leaves.bySignature(signers, { signal })
    const { id, change } = await this.#revocation(target, reason, options)
    const what = 'key' in target ? target.key : `cap:${target.certificate}`
    await this.#recorder.commit(change, leave, act('cap-revoke', what, options), { signal })
    return { id }
  }

  async validate(validating: Validating, options: SigningOptions): Promise<ValidatedCap> {
    const { signal, signers } = options
    const leave = await this.#leaves.bySignature(signers, { signal })
    const speaking = signers ?? (await this.#issuer(options)).signers
    const { change, ...validated } = await draftValidation(this.#caps, validating, speaking, { signal })
    const what = `cap:${validating.certificate}`
    await this.#recorder.commit(change, leave, act('cap-validate', what, options), { signal })
    return validated
  }

  async publish(until: Date, options: SigningOptions): Promise<PublishedRevocations> {
    const { signal, signers } = options
    const leave = await this.#leaves.bySignature(signers, { signal })
    const issuer = await this.#operators(options)
    const { change, ...published } = await draftRevocationSet(this.#caps, until, issuer, { signal })
    await this.#recorder.commit(change, leave, act('cap-publish', `rev-set:${published.id}`, options), { signal })
    return published
  }

  /** Adds the approval of an act by each of these. Throws `CAPS_DENIED` where one would not count, and adds none. */
  async approve(
    { action, act: what, expires }: Approving,
    options: SigningOptions & { readonly signers: readonly Signer[] },
  ): Promise<{ readonly ids: readonly ContentId[] }> {
    const { signal, signers } = options
    const { vault, clock, soup } = this.#caps.parts
    const leave = await this.#leaves.bySignature(signers, { signal })
    const draft = { vault, action, act: what, at: clock(), expires }
    const envelopes: Envelope[] = []
    for (const signer of signers) {
      const { verdict } = await this.#caps.ask([signer.key], { action: 'approve' }, { signal })
      if (!verdict.ok) throw await deniedHere(this.#caps, { action: 'approve', object: vault }, verdict, { signal })
      envelopes.push(await createApproval(draft, signer, { signal }))
    }
    const change = await bringing(envelopes.map(approvalEntry), soup, { signal })
    await this.#recorder.commit(change, leave, act('cap-approve', `plan:${what}`, options), { signal })
    return { ids: envelopes.map((envelope) => openApproval(envelope).id) }
  }

  /** Says that somebody is called by a name of the vault, or of the one who signs. */
  async name(calling: CapCalling, options: SigningOptions): Promise<IssuedName> {
    const { signal } = options
    const leave = await this.#leaves.bySignature(options.signers, options)
    const { change, ...issued } = await draftName(this.#caps, calling, await this.#issuer(options), { signal })
    await this.#recorder.commit(change, leave, act('cap-name', `cap:${issued.id}`, options), { signal })
    return issued
  }

  /** Says how many approve an act of a kind from now on. */
  async mandate(
    { action, approvals }: Mandating,
    options: SigningOptions,
  ): Promise<{ readonly id: ContentId; readonly seq: number }> {
    const { signal } = options
    const { clock, soup } = this.#caps.parts
    const leave = await this.#leaves.bySignature(options.signers, { signal })
    const { issuer, signers } = await this.#operators(options)
    const { next: seq } = await mandateFor(this.#caps, action, { signal })
    const { seq: epoch } = await this.#caps.keys({ signal })
    const draft = { issuer, epoch, action, seq, approvals, at: clock() }
    const envelope = await createStandingMandate(draft, signers, { signal })
    const { id } = openStandingMandate(envelope)
    const change = await bringing([mandateEntry(envelope)], soup, { signal })
    await this.#recorder.commit(change, leave, act('cap-mandate', `mandate:${action}/${seq}`, options), { signal })
    return { id, seq }
  }

  /** As whom these grant a certificate on: where it grants to a name, as themselves, if they are called so. */
  async #holder(cert: OpenCapCert, signers: readonly Signer[], options: AbortOptions): Promise<Principal> {
    const keys = signers.map(({ key }) => key)
    const isCalled = await this.#caps.isCalled(keys, cert.record.subject, options)
    if (!isCalled) return holderOf(cert, keys)
    const [first] = await issuersOf(this.#caps, signers, options)
    return (first as CapIssuer).issuer
  }

  async #revocation(
    target: RevokedThing,
    reason: RevocationReason,
    options: SigningOptions,
  ): ReturnType<typeof draftRevocation> {
    const { signal, signers } = options
    try {
      return await bestDraft(await this.#issuers(options), (issuer) =>
        draftRevocation(this.#caps, target, { ...issuer, reason }, { signal }),
      )
    } catch (error) {
      throw await butFewOperators(error, this.#caps, { signers }, { signal })
    }
  }

  async #issue(
    grant: CapGrant,
    issuers: readonly CapIssuer[],
    leave: Leave,
    options: SigningOptions,
  ): Promise<IssuedCap> {
    const { signal } = options
    const draft = (issuer: CapIssuer) => draftCap(this.#caps, grant, issuer, { signal })
    const { change, ...issued } = await bestDraft(issuers, draft, ({ findings }) => findings.length)
    const revives = await revivedBy(this.#caps, issued.envelope, { signal })
    await this.#recorder.commit(change, leave, act('cap-issue', `cap:${issued.id}`, options), { signal })
    return { ...issued, revives }
  }

  async #issuer(options: SigningOptions): Promise<CapIssuer> {
    const [first] = await this.#issuers(options)
    return first as CapIssuer
  }

  /** The vault itself, by its operators. */
  async #operators({ signers, passphrase, signal }: SigningOptions): Promise<CapIssuer> {
    if (signers === undefined) return await vaultIssuer(this.#caps, passphrase, { signal })
    return await operatorsAs(this.#caps, signers, { signal })
  }

  /** As whom it may be signed. */
  async #issuers({ signers, passphrase, signal }: SigningOptions): Promise<readonly CapIssuer[]> {
    if (signers === undefined) return [await vaultIssuer(this.#caps, passphrase, { signal })]
    return await issuersOf(this.#caps, signers, { signal })
  }
}

function act(verb: string, object: string, { motivation }: Reason): Act {
  return { verb, object, ...(motivation !== undefined && { motivation }) }
}
