// Torments the real stores and counts what breaks: `pnpm torture --size small|full|<share> --seed N --only NAME`.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { installPrograms } from '../debian-packages.ts'
import { finish } from '../steps.ts'
import { pointsOf } from './campaign.ts'
import { CAMPAIGNS, DISK_CAMPAIGNS, NET_CAMPAIGNS } from './campaigns.ts'

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: 'small' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 2 ** 31)) },
    only: { type: 'string', multiple: true },
  },
})
const campaigns = [...CAMPAIGNS, ...DISK_CAMPAIGNS, ...NET_CAMPAIGNS]
const seed = Number(values.seed)
if (!Number.isSafeInteger(seed)) throw new RangeError(`--seed is a whole number, not ${values.seed}`)
const unknown = values.only?.find((name) => !campaigns.some((campaign) => campaign.name === name))
if (unknown !== undefined) {
  throw new RangeError(`--only is one of ${campaigns.map(({ name }) => name).join(', ')}, not ${unknown}`)
}

const tallies = [...(await installPrograms({ strace: 'strace' }))]
for (const campaign of campaigns.filter(({ name }) => values.only?.includes(name) ?? true)) {
  const folder = await mkdtemp(join(tmpdir(), 'vault-torture-'))
  const began = performance.now()
  const { points, wrong, note } = await campaign
    .run({ seed, points: pointsOf(campaign, values.size), folder })
    .catch((error: unknown) => ({ points: 0, wrong: [String(error)], note: '' }))
  const seconds = ((performance.now() - began) / 1000).toFixed(1)
  const result = wrong.length === 0 ? 'ok    ' : 'FAILED'
  console.log(`${result} ${campaign.name.padEnd(22)}${points} points  ${seconds} s  seed ${seed}  ${note}`)
  for (const text of wrong.slice(0, 20)) console.log(`       ${text}`)
  if (wrong.length > 20) console.log(`       and ${wrong.length - 20} more`)
  tallies.push({ passed: wrong.length === 0 ? 1 : 0, failed: wrong.length === 0 ? 0 : 1 })
  // What is left of a failure is kept, to be looked at.
  if (wrong.length === 0) await rm(folder, { recursive: true })
  else console.log(`       kept in ${folder}`)
}
finish(tallies)
