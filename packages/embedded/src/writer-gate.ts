import { setTimeout as sleep } from 'node:timers/promises'
import { type AbortOptions, type Clock, VaultError, type VaultId } from '@vault/core'
import { keyStateAt, movedTo, readWriterNotice, writerDelay } from '@vault/migration'
import type { SoupStore, Tenure } from '@vault/soup'

/** The `code` of the errors of a vault that does not change here. */
export type WriterErrorCode =
  /** The vault cannot be changed here: it is a replica, is being received, is being handed off, or is a restored backup. `details.state`. */
  | 'VAULT_READ_ONLY'
  /** The vault was handed off. `details.place`, `details.epoch`, and where they are known `details.address`, `details.instance`. Nothing was changed: write there. */
  | 'VAULT_MOVED'
  /** The vault has ended by its last key event, and changes nowhere any more. `details.sequence`. */
  | 'VAULT_RETIRED'

// Milliseconds between two looks at the tenure: short beside a pause, and long beside reading a row.
const LOOK = 4

/** For how long one change has waited, in milliseconds of a clock that cannot be set. */
export interface Waited {
  ms: number
}

interface GateParts {
  readonly vault: VaultId
  /** What messages call the place. */
  readonly dir: string
  readonly soups: SoupStore
  readonly clock: Clock
}

/** What whoever writes a vault meets while a move of it is under way, in this process or in another. */
export class WriterGate {
  readonly #parts: GateParts

  constructor(parts: GateParts) {
    this.#parts = parts
  }

  /** Before each change: waits where a move cannot follow otherwise. */
  async slow(waited: Waited, { signal }: AbortOptions): Promise<void> {
    const { vault, soups, clock } = this.#parts
    const notice = await readWriterNotice(soups.records, vault, { signal })
    const left = notice === undefined ? 0 : writerDelay(notice, clock()) - waited.ms
    if (left <= 0) return
    const began = performance.now()
    await sleep(left, undefined, { signal })
    waited.ms += performance.now() - began
  }

  /**
   * The tenure when the vault is active. One that is quiesced is waited for, as long as the move has said, with all that the change has
   * waited before; it is active again where the move was taken back, and elsewhere where it was made. Throws `VAULT_MOVED`,
   * `VAULT_RETIRED` and `VAULT_READ_ONLY`.
   */
  async open(waited: Waited, { signal }: AbortOptions): Promise<Tenure> {
    const { vault, soups } = this.#parts
    const began = performance.now() - waited.ms
    while (true) {
      const tenure = await soups.tenures.read(vault, { signal })
      const { state, migration } = tenure
      if (state === 'active') return tenure
      if (state === 'ended') throw this.#ended((await keyStateAt({ store: soups }, vault, { signal })).seq)
      const notice = await readWriterNotice(soups.records, vault, { signal })
      const waits = notice !== undefined && notice.migration === migration && waited.ms < notice.waitMs
      const moved = await movedTo(soups.records, tenure, { signal })
      // Between the hand-off and its being taken nobody is active: whoever is led on then would be refused there.
      const onTheWay = state === 'quiesced' || (moved !== undefined && !moved.arrived)
      if (waits && onTheWay) {
        await sleep(LOOK, undefined, { signal })
        waited.ms = performance.now() - began
        continue
      }
      throw moved === undefined ? this.#readOnly(tenure) : this.#moved(moved)
    }
  }

  #ended(sequence: number): VaultError<WriterErrorCode> {
    return new VaultError({
      code: 'VAULT_RETIRED',
      message: `The vault in ${this.#parts.dir} has ended by its key event ${sequence}: it can be read and copied, and changes no more.`,
      details: { sequence },
    })
  }

  #readOnly({ state }: Tenure): VaultError<WriterErrorCode> {
    return new VaultError({
      code: 'VAULT_READ_ONLY',
      message: `The vault in ${this.#parts.dir} cannot be changed here: it is ${DESCRIPTIONS[state] ?? state}.`,
      details: { state },
    })
  }

  #moved({ migration, label, instance, address, epoch }: NonNullable<Awaited<ReturnType<typeof movedTo>>>): Error {
    const { vault, dir } = this.#parts
    return new VaultError<WriterErrorCode>({
      code: 'VAULT_MOVED',
      message: `The vault in ${dir} was handed off and cannot be changed here: it goes on in ${address ?? label}. Nothing was changed; write there.`,
      details: {
        vault,
        migration,
        state: 'retired',
        place: label,
        epoch,
        ...(address !== undefined && { address }),
        ...(instance !== undefined && { instance }),
      },
    })
  }
}

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  replica: 'a replica, which only a migration may update',
  receiving: 'being received by a migration',
  quiesced: 'being handed off to another place; try again in a moment',
  retired: 'retired: it was handed off to another place, or is a backup that was restored',
}
