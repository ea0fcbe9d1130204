import { type Authorize, type KeyId, Recent, type VaultId } from '@vault/core'
import { openVault, type Vault } from '@vault/embedded'

// Vaults that are kept open at a time: the least used one is closed for another.
const MOST = 16

/** Whether the client may was asked with its request, and who it is the connection has proven. */
const asked: Authorize = async ({ action, object }) => ({ action, object, proven: true })

interface Opened {
  readonly vault: Promise<Vault>
  users: number
  /** Whether it is kept for the next one who uses it; if not, the last one who does closes it. */
  kept: boolean
}

/** Active vaults of a place that clients change, each opened once for each client: its name stands in the audit log. */
export class OpenVaults {
  readonly #dir: string
  readonly #open: Recent<Opened>

  constructor(dir: string, most: number = MOST) {
    this.#dir = dir
    this.#open = new Recent(most)
  }

  /** Runs with the vault, which stays open meanwhile. Throws what `openVault` throws. */
  async use<Result>(vault: VaultId, by: KeyId, run: (vault: Vault) => Promise<Result>): Promise<Result> {
    const name = `${by} ${vault}`
    const opened = this.#open.get(name) ?? this.#begin(vault, by)
    opened.users++
    try {
      for (const other of this.#open.keep(name, opened)) await letGo(other)
      return await run(await opened.vault)
    } catch (error) {
      // One that cannot be opened is tried again by the next who asks.
      await opened.vault.catch(() => this.#forget(name, opened))
      throw error
    } finally {
      opened.users--
      if (!opened.kept) await letGo(opened)
    }
  }

  /** Lets all go: what nobody uses is closed. */
  async close(): Promise<void> {
    for (const opened of this.#open.clear()) await letGo(opened)
  }

  #begin(vault: VaultId, by: KeyId): Opened {
    const actor = { name: by, key: by }
    return { vault: openVault(this.#dir, { choose: () => vault, authorize: asked, actor }), users: 0, kept: true }
  }

  #forget(name: string, opened: Opened): void {
    if (this.#open.get(name) === opened) this.#open.delete(name)
  }
}

async function letGo(opened: Opened): Promise<void> {
  opened.kept = false
  if (opened.users > 0) return
  const vault = await opened.vault.catch(() => undefined)
  await vault?.[Symbol.asyncDispose]()
}
