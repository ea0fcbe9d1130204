import type { AbortOptions } from '@vault/core'
import type { Tenures } from '@vault/soup'
import { nextTenure } from '@vault/soup'
import type { Connection } from './connection.ts'
import { readKeyEvents, writeKeyEvents } from './key-events.ts'
import type { Place } from './place.ts'
import { VAULT_TABLES } from './schema.ts'
import { absentTenure, allTenures, freshNumber, readTenure, writeTenure } from './tenure-row.ts'

export function sqliteTenures(place: Place): Tenures {
  return {
    list(options?: AbortOptions) {
      return place.read((db) => allTenures(db).map(({ tenure }) => tenure), options)
    },

    read(vault, options) {
      return place.read((db) => (readTenure(db, vault) ?? absentTenure(vault)).tenure, options)
    },

    transition(vault, from, to, options) {
      return place.write((db) => {
        const before = readTenure(db, vault) ?? absentTenure(vault)
        const tenure = nextTenure(before.tenure, from, to, before.counts)
        if (tenure.state === 'none') {
          removeVault(db, before.vault)
          return
        }
        const row = { ...before, tenure, vault: before.vault || freshNumber(db) }
        writeTenure(db, row)
        if (to.keyEvents !== undefined) writeKeyEvents(db, row.vault, to.keyEvents)
      }, options)
    },

    keyEvents(vault, options) {
      return place.read((db) => readKeyEvents(db, (readTenure(db, vault) ?? absentTenure(vault)).vault), options)
    },
  }
}

function removeVault(db: Connection, vault: number): void {
  for (const table of VAULT_TABLES) db.run(`DELETE FROM ${table} WHERE vault = ?`, vault)
  db.run('DELETE FROM tenures WHERE vault = ?', vault)
}
