import type { BatchAck, Block } from '@vault/cas'
import type { ContentId } from '@vault/core'
import { VaultError } from '@vault/core'
import type { TransferErrorCode } from './error.ts'

/** Throws `TRANSFER_REFUSED` unless an acknowledgement names exactly what was sent, in order (M034). */
export function confirm(batch: readonly Block[], ack: BatchAck): void {
  for (const [i, { id }] of batch.entries()) {
    if (ack.ids[i] !== id) throw refused(id, `was acknowledged as ${ack.ids[i] ?? 'nothing'}`)
  }
  const extra = ack.ids[batch.length]
  if (extra !== undefined) throw refused(extra, 'was acknowledged and never sent')
}

export function refused(id: ContentId, why: string): VaultError<TransferErrorCode> {
  return new VaultError({
    code: 'TRANSFER_REFUSED',
    message: `Transfer verification failed: ${id} ${why}. The target's store does not keep its contract; check it before the next run.`,
    details: { id },
  })
}
