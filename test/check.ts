// Everything that must hold before a change is taken: `npm test`.
import { finish, runStep, runTests } from './steps.ts'

const steps = await Promise.all([
  runStep('types', 'tsc', '-p', 'tsconfig.json'),
  runStep('lint', 'biome', 'check', '--error-on-warnings', '.'),
  runStep('unused', 'knip', '--no-config-hints', '--no-progress'),
  runStep('build', 'turbo', 'run', 'build'),
])
finish([...steps, await runTests('tests', 'packages', 'workspace')])
