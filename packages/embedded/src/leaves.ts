import type { AuditActor } from '@vault/audit-chain'
import {
  type AbortOptions,
  type Authorize,
  type Clock,
  isVaultError,
  type KeyId,
  type Signer,
  type VaultId,
} from '@vault/core'
import type { VaultSoup } from '@vault/soup'
import { keepsWithinNames, onlyBrings, pathOf, pathsOf } from './caps/change-paths.ts'
import { signersName } from './caps/signers-name.ts'
import type { SignedGrant } from './caps/vault-authority.ts'
import type { Leave, VaultChange } from './recorder.ts'
import type { WriterGate } from './writer-gate.ts'

interface LeavesParts {
  readonly vault: VaultId
  readonly soup: VaultSoup
  readonly authorize: Authorize
  /** Who acts, as the audit log is to call them. */
  readonly actor: Pick<AuditActor, 'name' | 'key'>
  readonly clock: Clock
  readonly gate: WriterGate
}

/** What whoever opened a vault has to be granted, and how the log is to call them. */
export class Leaves {
  readonly #parts: LeavesParts

  constructor(parts: LeavesParts) {
    this.#parts = parts
  }

  /** Throws `CAPS_DENIED` unless this may be done, with the whole vault or at this path. */
  async ask(action: string, options: AbortOptions, path?: readonly string[]): Promise<SignedGrant> {
    const { vault, clock, authorize } = this.#parts
    const request = { signers: [], action, object: vault, at: clock(), ...(path !== undefined && { path }) }
    return await authorize(request, options)
  }

  /**
   * Before anything is read or stored for a change. Throws `CAPS_DENIED` where neither the whole vault may be written, nor all that lies at
   * or below these names, and what {@link WriterGate} throws where it takes no changes.
   */
  async requireWriting(names: readonly string[], { signal }: AbortOptions): Promise<void> {
    await this.ask('write', { signal }).catch(async (error: unknown) => {
      if (!isVaultError(error, 'CAPS_DENIED') || names.includes('')) throw error
      for (const name of names) await this.ask('write', { signal }, pathOf(name))
    })
    await this.#parts.gate.open({ ms: 0 }, { signal })
  }

  /** Leave to act on the whole vault, and the epoch to write under. */
  async to(action: 'write' | 'rotate-keys' | 'reclaim', { signal }: AbortOptions): Promise<Leave> {
    return await this.#leave(this.#actorOf(await this.ask(action, { signal })), { signal })
  }

  /**
   * Leave to make a change: to write the whole vault, or else each path that it names and nothing beside them. One that only brings objects
   * names none, and is made for `names`, which come with a later change of the same act.
   */
  async forChange(
    change: VaultChange,
    { names = [], signal }: AbortOptions & { readonly names?: readonly string[] },
  ): Promise<Leave> {
    const grant = await this.ask('write', { signal }).catch(async (error: unknown) => {
      const isBringing = onlyBrings(change) && !names.includes('')
      const [first, ...others] = isBringing ? names.map(pathOf) : pathsOf(change)
      if (first === undefined || !isVaultError(error, 'CAPS_DENIED')) throw error
      const granted = await this.ask('write', { signal }, first)
      for (const path of others) await this.ask('write', { signal }, path)
      if (!(await keepsWithinNames(this.#parts.soup, change, { signal }))) throw error
      return granted
    })
    return await this.#leave(this.#actorOf(grant), { signal })
  }

  /** For what its signatures grant by themselves: by these, or by the vault's operators. */
  async bySignature(signers: readonly Signer[] | undefined, options: AbortOptions): Promise<Leave> {
    return await this.#leave(this.#speaker(signers), options)
  }

  /** Who does this, as the log is to say it: with the key that has proved it, and not with one that was only named. */
  async actorFor(action: string, options: AbortOptions): Promise<AuditActor> {
    return this.#actorOf(await this.ask(action, options))
  }

  /** The keys of all who do this: those that have proved it, or else the place's, and with it that of whom the opener has vouched for. */
  async executors(action: string, place: KeyId, options: AbortOptions): Promise<readonly KeyId[]> {
    const { keys } = await this.ask(action, options)
    const { key } = this.#parts.actor
    return keys ?? (key === undefined ? [place] : [place, key])
  }

  #actorOf({ proven, request, keys }: SignedGrant): AuditActor {
    const { name, key: named } = this.#parts.actor
    // An `Authorize` of the opener's own vouches for whom it named; what is not proven is said to be so.
    const key = keys === undefined || (named !== undefined && keys.includes(named)) ? named : keys[0]
    return { name, proven, ...(key !== undefined && { key }), ...(request !== undefined && { request }) }
  }

  #speaker(signers: readonly Signer[] | undefined): AuditActor {
    if (signers === undefined) return { name: 'operators', proven: true }
    const [first] = signers
    const { actor } = this.#parts
    const name = signers.some(({ key }) => key === actor.key) ? actor.name : signersName(signers)
    return { name, ...(first !== undefined && { key: first.key }), proven: true }
  }

  /** The epoch to write under, as soon as the vault takes changes. */
  async #leave(actor: AuditActor, { signal }: AbortOptions): Promise<Leave> {
    const waited = { ms: 0 }
    const { epoch } = await this.#parts.gate.open(waited, { signal })
    return { epoch, actor, waited }
  }
}
