import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Cost, measure, median } from './measure.ts'
import { changeSome, type FileClass, makeWorkload, WORKLOADS } from './workload.ts'

const bin = (name: string): string =>
  `"${process.execPath}" "${join(import.meta.dirname, '../packages/cli/bin', name)}.mjs"`

/** The program of this name, for a shell. */
export const vaultctl: string = bin('vaultctl')
export const vaultMigrate: string = bin('vault-migrate')

/** What of a command and its surroundings is not the same for all. */
export interface RecordOptions {
  /** Not measured. */
  readonly prepare?: () => Promise<void>
  /** The process at the other end, once prepared. */
  readonly server?: () => number
}

/**
 * A folder with the files of a workload in `tree`, in which commands are measured, by the options
 *
 *   [--workload standard|tenth|million] [--without rsync] [--dir FOLDER] [--runs N] [--seed N]
 *
 * Rows that begin with the name of a program that is left out are not run: of a million files some take hours. Every
 * figure is that of the run with the median time of N.
 */
export class Workbench {
  readonly #options: { readonly workload: string; readonly runs: string; readonly seed: string }
  readonly #without: readonly string[]
  readonly #root: string
  readonly #classes: readonly FileClass[]
  readonly #env: NodeJS.ProcessEnv
  readonly #rows: { readonly what: string; readonly cost: Cost }[] = []
  #size = { files: 0, bytes: 0 }
  #generation = 0

  private constructor(
    root: string,
    { without, ...options }: { workload: string; runs: string; seed: string; without: readonly string[] },
    classes: readonly FileClass[],
  ) {
    this.#root = root
    this.#options = options
    this.#without = without
    this.#classes = classes
    // Kept to the folder of the benchmark, and without a word of anyone's own configuration.
    this.#env = {
      ...process.env,
      XDG_STATE_HOME: this.at('state'),
      RCLONE_CONFIG: '/dev/null',
      RESTIC_CACHE_DIR: this.at('restic-cache'),
      RESTIC_PASSWORD: 'bench',
      RESTIC_FROM_PASSWORD: 'bench',
      GIT_CONFIG_GLOBAL: '/dev/null',
    }
  }

  /** Makes the workload that the command line names. */
  static async open(): Promise<Workbench> {
    const { values } = parseArgs({
      options: {
        workload: { type: 'string', default: 'standard' },
        dir: { type: 'string' },
        runs: { type: 'string', default: '3' },
        seed: { type: 'string', default: '20261121' },
        without: { type: 'string', multiple: true, default: [] },
      },
    })
    const classes = WORKLOADS[values.workload]
    if (classes === undefined)
      throw new Error(`No workload ${values.workload}; there are ${Object.keys(WORKLOADS).join(', ')}.`)
    const root = await mkdtemp(join(values.dir ?? tmpdir(), 'vault-bench-'))
    const bench = new Workbench(root, values, classes)
    process.stderr.write(`Making workload ${values.workload} …\n`)
    bench.#size = await makeWorkload(bench.at('tree'), classes, Number(values.seed))
    return bench
  }

  get env(): NodeJS.ProcessEnv {
    return this.#env
  }

  /** The path of something in the folder. */
  at(name: string): string {
    return join(this.#root, name)
  }

  async run(command: string): Promise<Cost> {
    return await measure(command, { cwd: this.#root, env: this.#env })
  }

  async remove(...names: readonly string[]): Promise<void> {
    for (const name of names) await rm(this.at(name), { recursive: true, force: true })
    await this.run('sync')
  }

  /** Changes one file in so many, others with each call. */
  async change(share: number): Promise<void> {
    await changeSome(this.at('tree'), this.#classes, share, ++this.#generation)
    await this.run('sync')
  }

  isLeftOut(what: string): boolean {
    return this.#without.some((program) => what.startsWith(program))
  }

  /** Runs a command for a row of the table; nothing where the row is left out. */
  async record(
    what: string,
    command: string | (() => string),
    { prepare = async () => {}, server }: RecordOptions = {},
  ): Promise<Cost | undefined> {
    if (this.isLeftOut(what)) return undefined
    process.stderr.write(`${what} …\n`)
    const cost = await median(Number(this.#options.runs), prepare, async () => {
      const text = typeof command === 'string' ? command : command()
      return await measure(text, { cwd: this.#root, env: this.#env, ...(server && { server: server() }) })
    })
    this.#rows.push({ what, cost })
    return cost
  }

  /** Prints the machine and the table. */
  printRows(): void {
    const { workload, runs, seed } = this.#options
    const { files, bytes } = this.#size
    console.log(
      `Workload ${workload}: ${files} files, ${(bytes / 1e9).toFixed(2)} GB, seed ${seed}. Median of ${runs}.`,
    )
    const memory = Math.round(totalmem() / 2 ** 30)
    console.log(`Machine: ${cpus().length} × ${cpus()[0]?.model}, ${memory} GiB, Node ${process.version}.\n`)
    const isServed = this.#rows.some(({ cost }) => cost.server !== undefined)
    const heads = [
      'what',
      'wall s',
      'CPU s',
      'peak MiB',
      ...(isServed ? ['server CPU s', 'server MiB'] : []),
      'files/s',
    ]
    console.log(`| ${heads.join(' | ')} |\n|${'---|'.repeat(heads.length)}`)
    for (const { what, cost } of this.#rows) {
      const { seconds, cpuSeconds, peakMiB, server } = cost
      const served = isServed ? [server?.cpuSeconds.toFixed(2) ?? '', server?.peakMiB.toFixed(0) ?? ''] : []
      const cells = [what, seconds.toFixed(2), cpuSeconds.toFixed(2), peakMiB.toFixed(0), ...served]
      console.log(`| ${[...cells, Math.round(files / seconds)].join(' | ')} |`)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#root, { recursive: true, force: true, maxRetries: 5 })
  }
}

/** Prints what is aimed at beside what was reached. */
export function printRatios(ratios: readonly (readonly [what: string, figure: string, aim: string])[]): void {
  console.log('\n| ratio of this run | figure | aim |\n|---|---|---|')
  for (const row of ratios) console.log(`| ${row.join(' | ')} |`)
}

/** How many times the second fits into the first. */
export function times(a: Cost | undefined, b: Pick<Cost, 'seconds'> | undefined): string {
  return a && b ? `${(a.seconds / b.seconds).toFixed(2)} ×` : 'not run'
}
