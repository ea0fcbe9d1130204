import type { Authorize, Clock, ContentId, KeyId } from '@vault/core'
import { isVaultError, Recent, type VaultError } from '@vault/core'
import { type ClientAuthority, type ClientRequest, NOTHING_SHOWN, readProofs, type ShownProofs } from '@vault/embedded'
import type { CallName } from '@vault/migration/http'
import { Quota } from './quota.ts'
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
  readonly network: string
  /** One more question of a request that was let through: counted, and not refused for that. */
  readonly goesOn?: boolean
}

// Each has at most 64 KiB. What is forgotten is shown again. A key pushes out what it has shown itself, however many vaults it asks about.
const MAX_KEYS = 128
const MAX_SHOWN = 8

/** What only ends a move that was prepared for, and tells nothing of the vault. */
const ENDING: ReadonlySet<string> = new Set<CallName>(['place', 'activate', 'conclude', 'decline'])

// Certificates are judged by all that the vault has revoked, and keys cost nothing: what they do not grant is counted by networks.
const REFUSED = { concurrent: Number.POSITIVE_INFINITY, perSecond: 20 }
const MAX_GRANTED = 1_024

/** Whether a client may do what it asks for: asked for each request anew, by lists first, because that costs nothing. */
export class LeaveDesk {
  readonly #parts: Parts
  readonly #refused = new Quota(REFUSED)
  readonly #granted = new Recent<true>(MAX_GRANTED)
  /** By keys, and of each by vaults. */
  readonly #shown = new Recent<Recent<ShownProofs>>(MAX_KEYS)

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether clients may show certificates. */
  get takesProofs(): boolean {
    return this.#parts.certificates !== undefined
  }

  /** Throws `HTTP_NOT_ALLOWED`, and `HTTP_LIMIT` where the network was refused too often. `call`: the name of what is asked for, which may only end a move. */
  async require(action: string, client: Client, call?: string): Promise<void> {
    const ends = call !== undefined && ENDING.has(call)
    await this.#judge({ action, ...client, proofs: this.#shownBy(client) ?? NOTHING_SHOWN, ends })
  }

  /** Keeps in mind who brings a vault, before it comes: once it does, whoever brought it may end the move. */
  async brings({ key, vault }: Pick<Client, 'key' | 'vault'>, migration: string): Promise<void> {
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
    const { key, vault } = client
    const byKey = this.#shown.get(key) ?? new Recent<ShownProofs>(MAX_SHOWN)
    byKey.keep(vault, shown)
    this.#shown.keep(key, byKey)
  }

  /**
   * Asks for leave as long as a request lasts, by what the client has shown last, also where that is forgotten meanwhile: in the middle of
   * an answer it cannot show anything again.
   */
  throughout(client: Client): (action: string) => Promise<void> {
    let held = this.#shownBy(client) ?? NOTHING_SHOWN
    return async (action) => {
      held = this.#shownBy(client) ?? held
      await this.#judge({ action, ...client, proofs: held })
    }
  }

  #shownBy({ key, vault }: Pick<Client, 'key' | 'vault'>): ShownProofs | undefined {
    return this.#shown.get(key)?.get(vault)
  }

  async #judge({ network, goesOn = false, ...request }: ClientRequest & Client): Promise<void> {
    const { key, action, vault } = request
    const { authorize, certificates, clock, signal } = this.#parts
    const byLists = await vaultErrorOf(() =>
      authorize({ signers: [key], action, object: vault, at: clock() }, { signal }),
    )
    if (byLists === undefined) return
    const judged = () => vaultErrorOf(async () => certificates?.judge(request, { signal }))
    const refused = certificates && (await this.#counted({ key, action, vault, network, goesOn }, judged))
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

  /** Whoever was granted it lately is not kept out by what others of its network ask for. Throws `HTTP_LIMIT`. */
  async #counted(
    { key, action, vault, network, goesOn }: Required<Client> & { readonly action: string },
    judge: () => Promise<VaultError | undefined>,
  ): Promise<VaultError | undefined> {
    const name = `${key} ${action} ${vault}`
    if (!goesOn && this.#granted.get(name) === undefined) this.#refused.check(network)
    const refused = await judge()
    if (refused === undefined) this.#granted.keep(name, true)
    else {
      this.#granted.delete(name)
      this.#refused.spend(network, 1)
    }
    return refused
  }
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
