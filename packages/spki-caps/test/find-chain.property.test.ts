import type { Envelope } from '@vault/core'
import { answer, createCertificateIndex, openProofCert, reduce } from '@vault/spki-caps'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { anyPlan, build } from './model.ts'
import { isGranted } from './reference-authority.ts'
import { PATIENCE, runs } from './support.ts'

// Random graphs of delegation against a judge that tries everything. `VAULT_FUZZ_RUNS=10000` for a campaign.

describe('what is found', () => {
  it(
    'is granted exactly where the judge grants it, by as few certificates in a row as there can be',
    async () => {
      const counted = { granted: 0, chains: 0, refused: 0 }
      await fc.assert(
        fc.asyncProperty(anyPlan('issuers'), async (plan) => {
          const { certificates, question, circumstances } = await build(plan)
          const { verdict, proof } = await answer(question, createCertificateIndex(certificates), circumstances)
          expect(verdict.ok).toBe(isGranted(plan))
          counted[verdict.ok ? 'granted' : 'refused']++
          if (!verdict.ok || proof.length === 0) return
          counted.chains++
          const isEnough = (depth: number) => reduce(question, proof, { ...circumstances, limits: { depth } }).ok
          const deepest = [0, 1, 2, 3, 4].find(isEnough) as number
          // Names alone are no certificates in a row.
          if (deepest > 0) expect(isGranted(plan, deepest - 1)).toBe(false)
        }),
        runs(250),
      )
      // A property that is never put to the test holds as well.
      expect(Math.min(counted.chains, counted.refused)).toBeGreaterThan(8)
    },
    PATIENCE,
  )

  it(
    'is never granted where the judge refuses, whoever revokes what',
    async () => {
      await fc.assert(
        fc.asyncProperty(anyPlan('anyone'), async (plan) => {
          const { certificates, question, circumstances } = await build(plan)
          const { verdict } = await answer(question, createCertificateIndex(certificates), circumstances)
          if (verdict.ok) expect(isGranted(plan)).toBe(true)
        }),
        runs(120),
      )
    },
    PATIENCE,
  )
})

describe('a proof from outside', () => {
  it(
    'is granted, whatever it holds in whatever order, only where the judge grants by its certificates',
    async () => {
      let granted = 0
      await fc.assert(
        fc.asyncProperty(
          anyPlan('anyone').chain((plan) =>
            fc.tuple(fc.constant(plan), fc.shuffledSubarray([...[...plan.edges, ...plan.callings].keys()])),
          ),
          async ([plan, chosen]) => {
            const { certificates, question, circumstances } = await build(plan)
            const proof = chosen.map((n) => openProofCert(certificates[n] as Envelope))
            const index = createCertificateIndex(chosen.map((n) => certificates[n] as Envelope))
            const found = await answer(question, index, circumstances)
            const kept = {
              ...plan,
              edges: plan.edges.filter((_, n) => chosen.includes(n)),
              callings: plan.callings.filter((_, n) => chosen.includes(plan.edges.length + n)),
            }
            for (const each of [
              proof,
              [...found.proof, ...proof],
              [...proof, ...found.proof],
              found.proof.toReversed(),
            ]) {
              const verdict = reduce(question, each, circumstances)
              if (!verdict.ok) continue
              granted++
              expect(isGranted(kept)).toBe(true)
            }
          },
        ),
        runs(150),
      )
      expect(granted).toBeGreaterThan(4)
    },
    PATIENCE,
  )
})
