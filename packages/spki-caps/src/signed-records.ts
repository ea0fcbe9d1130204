import type { Envelope } from '@vault/core'
import { isVaultError } from '@vault/core'
import { standingOf } from './epoch.ts'
import type { KeyDirectory } from './key-directory.ts'
import { operatorsOf } from './key-directory.ts'
import { isVault } from './principal.ts'
import type { Issuer, Opened } from './record.ts'
import type { Hearing } from './speak.ts'
import { speak } from './speak.ts'
import type { Voices } from './voices.ts'
import { envelopeVoices } from './voices.ts'

// What views of records have in common: they are given whatever somebody has, and take what is good.

/** Those that can be read; of each other one it is told why not. */
export function readable<T>(
  envelopes: Iterable<Envelope>,
  open: (envelope: Envelope) => Opened<T>,
  refuse: (message: string) => void,
): readonly Opened<T>[] {
  return [...envelopes].flatMap((envelope) => {
    try {
      return [open(envelope)]
    } catch (error) {
      if (!isVaultError(error)) throw error
      refuse(error.message)
      return []
    }
  })
}

/** Whether its issuer has signed it; a vault by the operators of the event that it names. */
export function isSigned(type: string, { record, envelope }: Opened<Issuer>, keys: KeyDirectory): boolean {
  return speak(record.issuer, hearingOf(record, envelopeVoices(type, envelope), keys)).ok
}

/** By what it is heard whether the issuer of a record has spoken. */
export function hearingOf({ issuer, epoch }: Issuer, voices: Voices, keys: KeyDirectory): Hearing {
  return {
    voices,
    operators: (vault) => operatorsOf(keys, vault, isVault(issuer) && epoch !== null ? epoch : undefined),
  }
}

/** Whether the keys that signed it are those that its issuer has now. */
export function isByPresentKeys({ id, record }: Opened<Issuer>, keys: KeyDirectory): boolean {
  const { issuer, epoch } = record
  if (!isVault(issuer) || epoch === null) return true
  const state = keys.state(issuer.vault.id)
  return state !== undefined && standingOf(keys, state, { id, epoch, expires: null }) === 'current'
}
