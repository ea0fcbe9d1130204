// Our bytes against other people's programs: `pnpm test:interop`. A program that cannot be had is a failure.
import { installPrograms } from './debian-packages.ts'
import { finish, runStep, runTests } from './steps.ts'

/** Each program, and the Debian package that brings it. */
const COUNTERPARTS = {
  b3sum: 'b3sum',
  sha256sum: 'coreutils',
  rclone: 'rclone',
  zsh: 'zsh',
  fish: 'fish',
  go: 'golang-go',
  strace: 'strace',
  age: 'age',
  script: 'bsdutils',
} as const

/** Each library for Go, and the Debian package that brings it. */
const LIBRARIES = { '/usr/share/gocode/src/golang.org/x/mod/sumdb': 'golang-golang-x-mod-dev' } as const

const installed = await installPrograms(COUNTERPARTS, LIBRARIES)
const built = await runStep('build', 'turbo', 'run', 'build')
finish([...installed, built, await runTests('interop', 'interop')])
