import { readFileSync } from 'node:fs'

/** The version of this package, whose package.json is one folder above the sources and above what is built of them. */
export function packageVersion(): string {
  const manifest = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  return (JSON.parse(manifest) as { readonly version: string }).version
}
