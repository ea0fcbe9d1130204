import { nameIn } from './open-plan.ts'
import type { Owed } from './owed.ts'
import type { CeremonyPlan } from './plan.ts'

/** What is owed in words, each once: two rules may ask the same of the same people, and one signature does for both. */
export function owedWords(plan: CeremonyPlan, owed: readonly Owed[]): readonly string[] {
  const words = owed.map(({ what, needed, keys }) => {
    const names = keys.map((key) => nameIn(plan, key)).join(', ')
    return `${needed} ${what}${needed === 1 ? '' : 's'} of ${names}`
  })
  return [...new Set(words)]
}
