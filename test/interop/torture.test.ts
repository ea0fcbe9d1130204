import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { CAMPAIGNS } from '../torture/campaigns.ts'

// What decides whether a change is taken must not be chance; other seeds are for `pnpm torture`.
const SEED = Number(process.env.VAULT_TORTURE_SEED ?? 20)

test.for(CAMPAIGNS.map((campaign) => [campaign.name, campaign] as const))(
  'a share of the campaign %s',
  {
    timeout: 300_000,
  },
  async ([name, campaign]) => {
    const folder = await mkdtemp(join(tmpdir(), 'vault-torture-'))
    const points = Math.ceil(campaign.small / 5)
    const outcome = await campaign.run({ seed: SEED, points, folder })
    console.log(`${name}: ${outcome.points} points, seed ${SEED}: ${outcome.note}`)
    expect(outcome.wrong, `seed ${SEED}`).toEqual([])
    await rm(folder, { recursive: true })
  },
)
