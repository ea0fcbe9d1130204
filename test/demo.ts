// Builds what the long example needs, and runs it: `npm start`.
import { runStep } from './steps.ts'

const { failed } = await runStep('build', 'turbo', 'run', 'build', '--filter=@vault-example/full-vault^...')
if (failed === 0) await import('../examples/full-vault/main.ts')
else process.exitCode = 1
