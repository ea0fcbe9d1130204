import { dirname, normalize } from 'node:path'

/** What a package may depend on at run time. */
export interface Rule {
  /** Packages of ours, without the scope. */
  readonly siblings: readonly string[]
  /** Packages of others. */
  readonly others: readonly string[]
}

const L0_TO_L2 = ['core', 'cas', 'soup', 'merkle', 'spki-caps', 'policy-objects', 'audit-chain', 'transfer']
const STORES = ['store-fs', 'store-sqlite', 'store-s3', 'store-postgres', 'anchors']
const L0_TO_L3 = [...L0_TO_L2, 'migration', 'rollback', 'federation', 'durability', ...STORES]
const L0_TO_L4 = [...L0_TO_L3, 'embedded']

/** Who may import whom. A package that is not in this table may not exist. */
export const LAYERS: Readonly<Record<string, Rule>> = {
  core: {
    siblings: [],
    others: ['@napi-rs/blake-hash', '@noble/ed25519', '@noble/hashes', 'blake3-jit', 'multiformats'],
  },
  cas: { siblings: ['core'], others: [] },
  soup: { siblings: ['core'], others: [] },
  merkle: { siblings: ['core'], others: [] },
  'spki-caps': { siblings: ['core'], others: [] },
  'policy-objects': { siblings: ['core'], others: ['zod'] },
  'audit-chain': { siblings: ['core', 'cas', 'merkle'], others: [] },
  transfer: { siblings: ['core', 'cas', 'soup', 'merkle'], others: ['@ipld/car', 'age-encryption'] },
  migration: { siblings: L0_TO_L2, others: [] },
  rollback: { siblings: L0_TO_L2, others: ['semver'] },
  federation: { siblings: L0_TO_L2, others: [] },
  durability: { siblings: L0_TO_L2, others: ['croner'] },
  'store-fs': { siblings: ['core', 'cas', 'audit-chain'], others: [] },
  'store-sqlite': { siblings: ['core', 'soup'], others: [] },
  'store-s3': { siblings: ['core', 'cas', 'audit-chain'], others: ['@aws-sdk/client-s3'] },
  'store-postgres': { siblings: ['core', 'soup'], others: ['pg'] },
  anchors: { siblings: ['core', 'audit-chain'], others: [] },
  embedded: { siblings: L0_TO_L3, others: ['age-encryption', 'shamir-secret-sharing'] },
  server: { siblings: L0_TO_L4, others: [] },
  cli: { siblings: [...L0_TO_L4, 'server'], others: ['@bomb.sh/tab', 'commander'] },
  cockpit: { siblings: [], others: [] },
}

/** A package as the layer check sees it. */
export interface Subject {
  /** Name without the scope. */
  readonly name: string
  /** Names of everything it depends on at run time, optional and peer dependencies included. */
  readonly dependencies: readonly string[]
  /** The specifiers that each source file imports, by the file's path inside the package. */
  readonly imports: Readonly<Record<string, readonly string[]>>
}

/** Everything that breaks the table, as sentences. `specifiers`: all that our packages export. */
export function checkLayers(
  subjects: readonly Subject[],
  specifiers: ReadonlySet<string>,
  table: Readonly<Record<string, Rule>> = LAYERS,
): readonly string[] {
  return subjects.flatMap((subject) => {
    const rule = table[subject.name]
    if (!rule) return [`@vault/${subject.name} is not in the table of packages`]
    return [...checkDependencies(subject, rule), ...checkImports(subject, specifiers)]
  })
}

/** The packages of each cycle of the table, empty where there is none. */
export function findCycle(table: Readonly<Record<string, Rule>>): readonly string[] {
  const finished = new Set<string>()
  const visit = (name: string, path: readonly string[]): readonly string[] => {
    if (path.includes(name)) return [...path.slice(path.indexOf(name)), name]
    if (finished.has(name)) return []
    for (const sibling of table[name]?.siblings ?? []) {
      const cycle = visit(sibling, [...path, name])
      if (cycle.length > 0) return cycle
    }
    finished.add(name)
    return []
  }
  for (const name of Object.keys(table)) {
    const cycle = visit(name, [])
    if (cycle.length > 0) return cycle
  }
  return []
}

function checkDependencies({ name, dependencies }: Subject, rule: Rule): readonly string[] {
  const allowed = new Set([...rule.siblings.map((sibling) => `@vault/${sibling}`), ...rule.others])
  return dependencies
    .filter((dependency) => !allowed.has(dependency))
    .map((dependency) => `@vault/${name} may not depend on ${dependency}`)
}

function checkImports({ name, dependencies, imports }: Subject, specifiers: ReadonlySet<string>): readonly string[] {
  return Object.entries(imports).flatMap(([file, imported]) =>
    imported.flatMap((specifier) => {
      const where = `packages/${name}/${file}`
      if (specifier.startsWith('node:')) return []
      if (specifier.startsWith('.')) {
        const inside = normalize(`${dirname(file)}/${specifier}`).startsWith('src/')
        return inside ? [] : [`${where} reaches outside its package: ${specifier}`]
      }
      const target = packageOf(specifier)
      if (!dependencies.includes(target)) return [`${where} imports ${target}, which its package.json does not declare`]
      if (target.startsWith('@vault/') && !specifiers.has(specifier)) {
        return [`${where} imports ${specifier}, which ${target} does not export`]
      }
      return []
    }),
  )
}

function packageOf(specifier: string): string {
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/')
}
