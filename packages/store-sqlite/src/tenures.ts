import type { AbortOptions } from '@vault/core'
import type { ExpectedTenure, MoveContent, TenureMove, Tenures } from '@vault/soup'
import { checkMove, nextTenure } from '@vault/soup'
import { forgetBatches } from './batch-rows.ts'
import { renumberTrees } from './branch-rows.ts'
import type { Connection } from './connection.ts'
import { forgetAllDisplaced } from './displaced-rows.ts'
import { readEvidence, writeEvidence } from './evidence.ts'
import { holdBlocks } from './held-rows.ts'
import { readKeyEvents, writeKeyEvents } from './key-events.ts'
import { queueEvents } from './outbox.ts'
import type { Place } from './place.ts'
import { VAULT_TABLES } from './schema.ts'
import type { TenureRow } from './tenure-row.ts'
import { absentTenure, allTenures, freshNumber, readTenure, writeTenure } from './tenure-row.ts'

export function sqliteTenures(place: Place): Tenures {
  return {
    list(options?: AbortOptions) {
      return place.read((db) => allTenures(db).map(({ tenure }) => tenure), options)
    },

    read(vault, options) {
      return place.read((db) => (readTenure(db, vault) ?? absentTenure(vault)).tenure, options)
    },

    async transition(vault, from, to, options) {
      const content = checkMove(to)
      await place.write(
        (db) => moveTenure(db, readTenure(db, vault) ?? absentTenure(vault), { from, to, content }),
        options,
      )
    },

    keyEvents(vault, options) {
      return place.read((db) => readKeyEvents(db, (readTenure(db, vault) ?? absentTenure(vault)).vault), options)
    },

    evidence(vault, options) {
      return place.read((db) => readEvidence(db, (readTenure(db, vault) ?? absentTenure(vault)).vault), options)
    },
  }
}

/** Moves a tenure and writes what belongs to the move, inside a transaction. */
function moveTenure(
  db: Connection,
  before: TenureRow,
  move: { readonly from: ExpectedTenure; readonly to: TenureMove; readonly content: MoveContent },
): void {
  const { to, content } = move
  const { displaced, settled, counts, oldest } = before
  const queued = before.tenure.events - settled
  const tenure = nextTenure(before.tenure, move.from, to, { ...counts, queued, displaced })
  if (tenure.state === 'none') {
    removeVault(db, before.vault)
    return
  }
  const vault = before.vault || freshNumber(db)
  const { keyEvents, evidence, events, hold } = content
  const first = tenure.events - events.length
  const receives = tenure.before !== undefined
  writeTenure(db, {
    ...before,
    vault,
    tenure,
    oldest: to.sequence === undefined ? oldest : tenure.sequence,
    settled: first - queued,
    displaced: receives ? displaced : 0,
  })
  if (to.sequence !== undefined) {
    db.run('DELETE FROM feed WHERE vault = ?', vault)
    renumberTrees(db, vault, before.tenure.sequence, tenure.sequence)
  }
  queueEvents(db, vault, first, events)
  holdBlocks(db, vault, hold)
  if (keyEvents !== undefined) writeKeyEvents(db, vault, keyEvents)
  if (evidence !== undefined) writeEvidence(db, vault, evidence)
  if (!receives && displaced > 0) forgetAllDisplaced(db, vault)
  if (tenure.state === 'receiving' && tenure.migration !== undefined) forgetBatches(db, vault, tenure.migration)
}

function removeVault(db: Connection, vault: number): void {
  for (const table of VAULT_TABLES) db.run(`DELETE FROM ${table} WHERE vault = ?`, vault)
  db.run('DELETE FROM tenures WHERE vault = ?', vault)
}
