import { readFileSync } from 'node:fs'
import { defineConfig } from 'tsup'

/** Entries are read from the package's own `exports`, so that what is built and what is published cannot differ. */
type Exports = Record<string, string | { '@vault/source'?: string }>
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as { exports: Exports }
const entry = Object.values(exports).flatMap((target) =>
  typeof target === 'object' && target['@vault/source'] ? [target['@vault/source']] : [],
)

export default defineConfig({
  entry,
  format: 'esm',
  target: 'es2024',
  dts: true,
  sourcemap: true,
  clean: true,
  treeshake: true,
  removeNodeProtocol: false,
})
