import type { AbortOptions } from '@vault/core'
import { decodeEnvelope } from '@vault/core'
import type { Records } from '@vault/soup'
import { certificateFormat } from '../certificate/certificate.ts'
import { decodePlan } from '../parse-plan.ts'
import type { Plan } from '../plan.ts'
import { readMoveCertificate } from './target-records.ts'

/** The plan of a move that ended at a place, from its certificate there; `undefined` where the place has none of it. */
export async function readArrivalPlan(
  records: Records,
  migration: string,
  options?: AbortOptions,
): Promise<Plan | undefined> {
  const certificate = await readMoveCertificate(records, migration, options)
  if (certificate === undefined) return undefined
  return decodePlan(certificateFormat.parse(decodeEnvelope(certificate).payload).plan)
}
