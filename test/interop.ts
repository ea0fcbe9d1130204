// Our bytes against other people's programs: `pnpm test:interop`. A program that cannot be had is a failure.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { finish, runStep, runTests, type Tally } from './steps.ts'

/** Each program, and the Debian package that brings it. */
const COUNTERPARTS = {
  b3sum: 'b3sum',
  sha256sum: 'coreutils',
  rclone: 'rclone',
  zsh: 'zsh',
  fish: 'fish',
  go: 'golang-go',
  strace: 'strace',
} as const

/** Each library for Go, and the Debian package that brings it. */
const LIBRARIES = { '/usr/share/gocode/src/golang.org/x/mod/sumdb': 'golang-golang-x-mod-dev' } as const

const missing = [
  ...Object.entries(COUNTERPARTS).filter(([program]) => spawnSync(program, ['--version']).error),
  ...Object.entries(LIBRARIES).filter(([folder]) => !existsSync(folder)),
]
const steps: Tally[] = []
if (missing.length > 0) {
  const asRoot = process.getuid?.() === 0 ? ['apt-get'] : ['sudo', '--non-interactive', 'apt-get']
  const [command, ...args] = asRoot as [string, ...string[]]
  steps.push(await runStep('apt update', command, ...args, 'update'))
  const install = ['install', '--yes', '--no-install-recommends', ...missing.map(([, name]) => name)]
  steps.push(await runStep('apt install', command, ...args, ...install))
}
steps.push(await runStep('build', 'turbo', 'run', 'build'))
finish([...steps, await runTests('interop', 'interop')])
