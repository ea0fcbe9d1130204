import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { expect, test } from 'vitest'
import { checkLayers, findCycle, LAYERS, type Subject } from './layers.ts'
import { exportedSpecifiers, publishedPackages, sourceFiles, type WorkspacePackage } from './workspace.ts'

const packages = publishedPackages()
const specifiers = new Set(packages.flatMap(exportedSpecifiers))

function subjectOf(subject: WorkspacePackage): Subject {
  const { dependencies, optionalDependencies, peerDependencies } = subject.manifest
  return {
    name: subject.short,
    dependencies: Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies }),
    imports: Object.fromEntries(
      sourceFiles(subject).map((file) => {
        const { importedFiles } = ts.preProcessFile(readFileSync(join(subject.folder, file), 'utf8'))
        return [file, importedFiles.map(({ fileName }) => fileName)]
      }),
    ),
  }
}

test('every package keeps to its layer', () => {
  expect(checkLayers(packages.map(subjectOf), specifiers)).toEqual([])
})

test('the table has no cycle', () => {
  expect(findCycle(LAYERS)).toEqual([])
})

const CAS: Subject = {
  name: 'cas',
  dependencies: ['@vault/core'],
  imports: { 'src/memory.ts': ['@vault/core', './cas.ts', 'node:fs'], 'src/codec/pack.ts': ['../cas.ts'] },
}
const KNOWN = new Set(['@vault/core', '@vault/core/testing', '@vault/cas', '@vault/soup'])

test('a package within its rule passes', () => {
  expect(checkLayers([CAS], KNOWN)).toEqual([])
})

test.each<[string, Subject]>([
  ['a sibling of the same layer', { ...CAS, dependencies: ['@vault/core', '@vault/soup'] }],
  ['a package of a higher layer', { ...CAS, dependencies: ['@vault/core', '@vault/migration'] }],
  ['a third-party package', { ...CAS, dependencies: ['@vault/core', 'left-pad'] }],
  ['an undeclared sibling', { ...CAS, imports: { 'src/a.ts': ['@vault/soup'] } }],
  ['an undeclared third-party package', { ...CAS, imports: { 'src/a.ts': ['cborg/encode'] } }],
  ['a file inside a sibling', { ...CAS, imports: { 'src/a.ts': ['@vault/core/src/hash.ts'] } }],
  ['a path out of the package', { ...CAS, imports: { 'src/codec/a.ts': ['../../../core/src/hash.ts'] } }],
  ['a package outside the table', { ...CAS, name: 'common' }],
])('%s is found', (_, subject) => {
  expect(checkLayers([subject], KNOWN)).toHaveLength(1)
})

test('a cycle planted in the table is found', () => {
  const core = { siblings: ['migration'], others: [] }
  expect(findCycle({ ...LAYERS, core })).toContain('core')
})
