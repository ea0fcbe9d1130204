import type { Authorize, KeyId, VaultId } from '@vault/core'
import { openVault, type Vault } from '@vault/embedded'
import { Recent } from './recent.ts'

// Vaults that are open at a time: the least used one is closed for another.
const MOST = 16

/** Whether the client may was asked with its request, and who it is the connection has proven. */
const asked: Authorize = async ({ action, object }) => ({ action, object, proven: true })

/** Active vaults of a place that clients change, each opened once for each client: its name stands in the audit log. */
export class OpenVaults {
  readonly #dir: string
  readonly #open = new Recent<Promise<Vault>>(MOST)

  constructor(dir: string) {
    this.#dir = dir
  }

  /** Throws what `openVault` throws. */
  async open(vault: VaultId, by: KeyId): Promise<Vault> {
    const name = `${by} ${vault}`
    const opened =
      this.#open.get(name) ??
      openVault(this.#dir, { choose: () => vault, authorize: asked, actor: { name: by, key: by } })
    opened.catch(() => this.#open.delete(name))
    for (const other of this.#open.keep(name, opened)) await other.then((each) => each[Symbol.asyncDispose]())
    return await opened
  }

  async close(): Promise<void> {
    for (const vault of await Promise.allSettled(this.#open.clear())) {
      if (vault.status === 'fulfilled') await vault.value[Symbol.asyncDispose]()
    }
  }
}
