import type { Authorize, Clock, ContentId, KeyId } from '@vault/core'
import { isVaultError, type VaultError } from '@vault/core'
import { type ClientAuthority, type ClientRequest, NOTHING_SHOWN, readProofs, type ShownProofs } from '@vault/embedded'
import type { CallName } from '@vault/migration/http'
import { Recent } from './recent.ts'
import { refusal } from './refusal.ts'

interface Parts {
  /** The lists of whoever runs the server. */
  readonly authorize: Authorize
  /** Where certificates count, too. */
  readonly certificates: ClientAuthority | undefined
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** Who wants something of which vault. */
interface Client {
  readonly key: KeyId
  readonly vault: ContentId
}

// Each has at most 64 KiB. What is forgotten is shown again.
const MAX_SHOWN = 256

/** What only ends a move that was prepared for, and tells nothing of the vault. */
const ENDING: ReadonlySet<string> = new Set<CallName>(['place', 'activate', 'conclude', 'decline'])

/** Whether a client may do what it asks for: asked for each request anew, by lists first, because that costs nothing. */
export class LeaveDesk {
  readonly #parts: Parts
  readonly #shown = new Recent<ShownProofs>(MAX_SHOWN)

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether clients may show certificates. */
  get takesProofs(): boolean {
    return this.#parts.certificates !== undefined
  }

  /** Throws `HTTP_NOT_ALLOWED`. `call`: the name of what is asked for, which may only end a move. */
  async require(action: string, client: Client, call?: string): Promise<void> {
    const ends = call !== undefined && ENDING.has(call)
    await this.#judge({ action, ...client, proofs: this.#shown.get(nameOf(client)) ?? NOTHING_SHOWN, ends })
  }

  /** Keeps in mind who brings a vault, before it comes: once it does, whoever brought it may end the move. */
  async brings({ key, vault }: Client, migration: string): Promise<void> {
    const { certificates, signal } = this.#parts
    await certificates?.brings({ key, vault, migration }, { signal })
  }

  /**
   * Keeps in mind what a client has shown, if it grants the action: nothing is kept for whoever may nothing. Throws `HTTP_NOT_ALLOWED`,
   * and `HTTP_REQUEST_INVALID` for what is no proof.
   */
  async show(proofs: readonly Uint8Array[], action: string, client: Client): Promise<void> {
    const shown = proofsIn(proofs)
    await this.#judge({ action, ...client, proofs: shown })
    this.#shown.keep(nameOf(client), shown)
  }

  async #judge(request: ClientRequest): Promise<void> {
    const { key, action, vault } = request
    const { authorize, certificates, clock, signal } = this.#parts
    const byLists = await vaultErrorOf(() =>
      authorize({ signers: [key], action, object: vault, at: clock() }, { signal }),
    )
    if (byLists === undefined) return
    const refused = certificates && (await vaultErrorOf(() => certificates.judge(request, { signal })))
    if (certificates !== undefined && refused === undefined) return
    const { code, message, details } = refused ?? byLists
    const why = refused === undefined ? message : `${byLists.message}; and by certificates, ${message}`
    throw refusal('HTTP_NOT_ALLOWED', `${key} may not ${action} ${vault} here: ${why}`, {
      key,
      action,
      code,
      ...details,
    })
  }
}

function nameOf({ key, vault }: Client): string {
  return `${key} ${vault}`
}

function proofsIn(proofs: readonly Uint8Array[]): ShownProofs {
  try {
    return readProofs(proofs)
  } catch (error) {
    if (isVaultError(error)) throw refusal('HTTP_REQUEST_INVALID', error.message)
    throw error
  }
}

/** The refusal with which something ends, if it does. */
async function vaultErrorOf(work: () => Promise<unknown>): Promise<VaultError | undefined> {
  try {
    await work()
    return undefined
  } catch (error) {
    if (isVaultError(error)) return error
    throw error
  }
}
