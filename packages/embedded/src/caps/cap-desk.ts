import type { AbortOptions, ContentId, Signer } from '@vault/core'
import type { RevocationReason } from '@vault/spki-caps'
import type { Act, Reason } from '../act.ts'
import type { Leaves } from '../leaves.ts'
import type { Leave, Recorder } from '../recorder.ts'
import { issuerOf, vaultIssuer } from './cap-issuer.ts'
import { type CapGrant, type CapIssuer, draftCap, type IssuedCap } from './issue-cap.ts'
import { type CapNarrowing, holderOf, narrowedGrant } from './narrow-cap.ts'
import { draftRevocationSet, type PublishedRevocations } from './publish-revocations.ts'
import { draftRevocation, knownCap, type RevokedThing } from './revoke-cap.ts'
import type { VaultCaps } from './vault-caps.ts'

/** Who signs a certificate or revocation. */
export interface SigningOptions extends AbortOptions, Reason {
  /** Default: the vault's operators, whose keys lie in the place. */
  readonly signers?: readonly Signer[]
  /** Opens the operators' keys: asked once, and only where one is sealed. */
  readonly passphrase?: () => Promise<string | undefined>
}

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
    const leave = await this.#leaves.bySignature(options.signers, options)
    return await this.#issue(grant, await this.#issuer(options), leave, options)
  }

  async attenuate(
    id: ContentId,
    narrowing: CapNarrowing,
    options: SigningOptions & { readonly signers: readonly Signer[] },
  ): Promise<IssuedCap> {
    const { signal, signers } = options
    const leave = await this.#leaves.bySignature(signers, { signal })
    const cert = await knownCap(this.#caps, id, { signal })
    const keys = signers.map(({ key }) => key)
    const issuer = holderOf(cert, keys)
    return await this.#issue(
      narrowedGrant(cert, narrowing, this.#caps.parts.vault),
      { issuer, signers },
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
    const issuer = await this.#issuer(options)
    const { id, change } = await draftRevocation(this.#caps, target, { ...issuer, reason }, { signal })
    const what = 'key' in target ? target.key : `cap:${target.certificate}`
    await this.#recorder.commit(change, leave, act('cap-revoke', what, options), { signal })
    return { id }
  }

  async publish(until: Date, options: Omit<SigningOptions, 'signers'>): Promise<PublishedRevocations> {
    const { signal } = options
    const leave = await this.#leaves.bySignature(undefined, { signal })
    const issuer = await this.#issuer(options)
    const { change, ...published } = await draftRevocationSet(this.#caps, until, issuer, { signal })
    await this.#recorder.commit(change, leave, act('cap-publish', `rev-set:${published.id}`, options), { signal })
    return published
  }

  async #issue(grant: CapGrant, issuer: CapIssuer, leave: Leave, options: SigningOptions): Promise<IssuedCap> {
    const { signal } = options
    const { change, ...issued } = await draftCap(this.#caps, grant, issuer, { signal })
    await this.#recorder.commit(change, leave, act('cap-issue', `cap:${issued.id}`, options), { signal })
    return issued
  }

  async #issuer({ signers, passphrase, signal }: SigningOptions): Promise<CapIssuer> {
    if (signers === undefined) return await vaultIssuer(this.#caps, passphrase, { signal })
    return await issuerOf(this.#caps, signers, { signal })
  }
}

function act(verb: string, object: string, { motivation }: Reason): Act {
  return { verb, object, ...(motivation !== undefined && { motivation }) }
}
