import { globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** The folder of the whole workspace. */
export const ROOT: string = dirname(import.meta.dirname)

/** What these tests read of a `package.json`. */
export interface Manifest {
  readonly name: string
  readonly private?: boolean
  readonly bin?: Readonly<Record<string, string>>
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface WorkspacePackage {
  /** Name without the scope: `cas`. */
  readonly short: string
  /** Absolute path. */
  readonly folder: string
  readonly manifest: Manifest
}

/** The published packages, by name. */
export function publishedPackages(): readonly WorkspacePackage[] {
  return globSync('packages/*/package.json', { cwd: ROOT })
    .sort()
    .map((path) => {
      const manifest = JSON.parse(readFileSync(join(ROOT, path), 'utf8')) as Manifest
      return { short: manifest.name.replace('@vault/', ''), folder: join(ROOT, dirname(path)), manifest }
    })
}

/** The source files of a package, relative to its folder. */
export function sourceFiles({ folder }: WorkspacePackage): readonly string[] {
  return globSync('src/**/*.ts', { cwd: folder }).sort()
}

/** The specifiers under which a package may be imported: `@vault/cas`, `@vault/cas/testing`. */
export function exportedSpecifiers({ manifest }: WorkspacePackage): readonly string[] {
  return Object.keys(manifest.exports ?? {})
    .filter((subpath) => !subpath.endsWith('.json'))
    .map((subpath) => manifest.name + subpath.slice(1))
}
