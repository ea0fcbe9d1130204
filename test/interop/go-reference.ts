import { execFileSync, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import type { Claim } from './claim.ts'

const SOURCES = join(import.meta.dirname, 'go')
const GO_PATH = '/usr/share/gocode'

/** The program of `go/`, which judges and makes logs with the Go implementation of signed notes and tiled logs. */
export interface GoReference {
  /** Verifies the log of a folder; throws with the program's reason where it refuses it. */
  check(folder: string, vkey: string): CheckedLog
  /** Makes a log in a folder, under a new key. */
  make(folder: string, request: MakeRequest): { readonly vkey: string; readonly claims: readonly Claim[] }
  /** Of each claim why it does not hold; empty where it does. */
  judge(claims: readonly Claim[]): readonly string[]
}

export interface CheckedLog {
  readonly size: number
  /** Base64. */
  readonly root: string
  /** Paths of all files below `tile`. */
  readonly tiles: readonly string[]
  /** Number of kept checkpoints. */
  readonly checkpoints: number
}

export interface MakeRequest {
  readonly origin: string
  /** Base64. */
  readonly entries: readonly string[]
  /** Sizes of which checkpoints are signed, ascending; the last is that of all entries. */
  readonly sizes: readonly number[]
  /** Size up to which everything is proven. */
  readonly exhaustive: number
  /** Sizes of logs of nothing but empty entries, some of which is proven. */
  readonly large: readonly number[]
}

/** Compiles the program into a folder. Throws what the compiler says, or that there is none. */
export function buildGoReference(folder: string): GoReference {
  const program = join(folder, 'reference')
  go(folder, 'go', 'build', '-o', program, '.')
  const run = (args: readonly string[], input: unknown) => {
    const { status, stdout, stderr, error } = spawnSync(program, args, {
      encoding: 'utf8',
      input: JSON.stringify(input),
      maxBuffer: 2 ** 28,
    })
    if (error !== undefined) throw error
    if (status !== 0) throw new Error(stderr)
    return JSON.parse(stdout)
  }
  return {
    check: (log, vkey) => run(['check', log, vkey], null),
    make: (log, request) => run(['make', log], request),
    judge: (claims) => run(['judge'], claims),
  }
}

/** What `gofmt` and `go vet` find in the program, nothing if all is well. */
export function goFindings(folder: string): string {
  go(folder, 'go', 'vet', '.')
  return go(folder, 'gofmt', '-l', '.')
}

/** With Debian's packages alone: no module is ever fetched. */
function go(folder: string, command: string, ...args: readonly string[]): string {
  const env = { ...process.env, GO111MODULE: 'off', GOPATH: GO_PATH, GOCACHE: join(folder, 'cache'), CGO_ENABLED: '0' }
  return execFileSync(command, args, { cwd: SOURCES, env, encoding: 'utf8', stdio: 'pipe' })
}
