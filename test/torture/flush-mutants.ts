import type { Fs, FsFile } from '@vault/store-fs'
import type { Campaign } from './campaign.ts'
import { cutPower } from './power-cuts.ts'

/** Rounds without finding any site that was not known, after which no more is looked for. */
const ROUNDS_WITHOUT_NEWS = 20

/**
 * Each flush in the sources of the store, left out everywhere it is called from: the power cuts must notice. A flush that
 * nobody misses is a flush too many, or a test too few.
 */
export const flushMutants: Campaign = {
  name: 'flush-mutants',
  small: 2_000,
  full: 2_000,
  run: async ({ seed, points }) => {
    const sites = await sitesOf(seed)
    const wrong: string[] = []
    const notes: string[] = []
    for (const [i, site] of sites.entries()) {
      let rounds = 0
      let noticed = false
      while (!noticed && rounds < points) {
        noticed = (await cutPower(seed + rounds, (disk) => watchFlushes(disk, (at) => at !== site))).wrong.length > 0
        rounds++
      }
      if (noticed) notes.push(`${rounds}`)
      else wrong.push(`flush ${i + 1} of ${sites.length} is missed by nobody in ${rounds} rounds: ${site}`)
    }
    return { points: sites.length, wrong, note: `noticed after ${notes.join(', ')} rounds` }
  },
}

/** Where in the sources the stores flush, in the order in which they come to it. */
async function sitesOf(seed: number): Promise<readonly string[]> {
  const sites = new Set<string>()
  let quiet = 0
  for (let round = 0; quiet < ROUNDS_WITHOUT_NEWS; round++) {
    const before = sites.size
    const { wrong } = await cutPower(seed + round, (disk) =>
      watchFlushes(disk, (site) => sites.add(site) !== undefined),
    )
    if (wrong.length > 0) throw new Error(`Nothing was left out, and: ${wrong.join()}`)
    quiet = sites.size === before ? quiet + 1 : 0
  }
  return [...sites]
}

/** A file system that does a flush only where `isDone` says so of the place it is called from. */
function watchFlushes(fs: Fs, isDone: (site: string) => boolean): Fs {
  const watchFile = (file: FsFile): FsFile => ({
    ...file,
    datasync: async () => {
      if (isDone(callSite())) await file.datasync()
    },
  })
  return {
    ...fs,
    open: async (path, mode) => watchFile(await fs.open(path, mode)),
    syncDir: async (path) => {
      if (isDone(callSite())) await fs.syncDir(path)
    },
  }
}

/** The line of the stack that called the method of the file system. */
function callSite(): string {
  const lines = new Error('stack').stack?.split('\n') ?? []
  const caller = lines.find((line, i) => i > 0 && !line.includes('flush-mutants'))
  return caller?.trim() ?? 'unknown'
}
