import type { Authorize, KeyId, VaultId } from '@vault/core'
import { openVault, type Vault } from '@vault/embedded'

// Vaults that are open at a time: the least used one is closed for another.
const MOST = 16

/** Whether the client may was asked with its request, and who it is the connection has proven. */
const asked: Authorize = async ({ action, object }) => ({ action, object, proven: true })

/** Active vaults of a place that clients change, each opened once for each client: its name stands in the audit log. */
export class OpenVaults {
  readonly #dir: string
  readonly #open = new Map<string, Promise<Vault>>()

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Throws what `openVault` throws. */
  async open(vault: VaultId, by: KeyId): Promise<Vault> {
    const name = `${by} ${vault}`
    const opened =
      this.#open.get(name) ??
      openVault(this.#dir, { choose: () => vault, authorize: asked, actor: { name: by, key: by } })
    this.#open.delete(name)
    this.#open.set(name, opened)
    opened.catch(() => this.#open.delete(name))
    for (const [oldest, other] of this.#open) {
      if (this.#open.size <= MOST) break
      this.#open.delete(oldest)
      await other.then((each) => each[Symbol.asyncDispose]())
    }
    return await opened
  }

  async close(): Promise<void> {
    const all = [...this.#open.values()]
    this.#open.clear()
    for (const vault of await Promise.allSettled(all)) {
      if (vault.status === 'fulfilled') await vault.value[Symbol.asyncDispose]()
    }
  }
}
