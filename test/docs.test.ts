import { execFileSync } from 'node:child_process'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'
import { publishedPackages, ROOT, sourceFiles } from './workspace.ts'

const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8')

/** What speaks of the machine or the hour in which a text was written, and not of the project. */
const FOREIGN: readonly RegExp[] = [
  /(?<![\w.~-])\/(?:work|root|home)\/\w/,
  /registry\.\w+\.(?:org|com|io)/,
  new RegExp(`\\b(?:${['TO', 'DO'].join('')}|FIX${'ME'}|X{3})\\b`),
]

test('no file speaks of the machine on which it was written', () => {
  const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' }).split('\0')
  const texts = tracked.filter(
    (path) => /\.(?:ts|mjs|md|json|yaml)$|^\.ci\//.test(path) && existsSync(join(ROOT, path)),
  )
  const found = texts.flatMap((path) => {
    const lines = read(path).split('\n')
    return lines.flatMap((line, n) => (FOREIGN.some((word) => word.test(line)) ? [`${path}:${n + 1}: ${line}`] : []))
  })
  expect(found).toEqual([])
})

const pages = globSync(['*.md', 'docs/**/*.md', 'formats/*.md', 'packages/*/README.md', 'examples/*/README.md'], {
  cwd: ROOT,
})

test.for(pages)('every link of %s leads somewhere', (page) => {
  const links = [...withoutCode(read(page)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link as string)
  const dead = links.filter((link) => {
    if (/^https?:/.test(link)) return false
    const [path = '', anchor] = link.split('#')
    const target = path === '' ? page : join(dirname(page), path)
    if (!existsSync(join(ROOT, target))) return true
    return anchor !== undefined && !anchorsOf(target).includes(anchor)
  })
  expect(dead).toEqual([])
})

function withoutCode(markdown: string): string {
  return markdown.replaceAll(/^```.*?^```$/gms, '').replaceAll(/`[^`\n]*`/g, '')
}

/** The anchors that a Markdown page's headings make. */
function anchorsOf(page: string): readonly string[] {
  return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading]) =>
    (heading as string)
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}

describe.each(publishedPackages().map((each) => [each.manifest.name, each] as const))('%s', (_, each) => {
  const readme = join(each.folder, 'README.md')
  const sources = sourceFiles(each).map((file) => {
    return ts.createSourceFile(file, readFileSync(join(each.folder, file), 'utf8'), ts.ScriptTarget.Latest)
  })

  test('its README lists every error code that it declares', () => {
    expect(unlisted(sources.flatMap(declaredCodes), [readme])).toEqual([])
  })

  test('every error code that it uses is listed there, or in the README of a package that it depends on', () => {
    const below = Object.keys(each.manifest.dependencies ?? {}).filter((name) => name.startsWith('@vault/'))
    const readmes = below.map((name) => join(ROOT, 'packages', name.replace('@vault/', ''), 'README.md'))
    expect(unlisted(sources.flatMap(usedCodes), [readme, ...readmes])).toEqual([])
  })

  test('its index names what it exports', () => {
    const index = sources.find(({ fileName }) => fileName === 'src/index.ts')
    const unnamed = index?.statements.filter((statement) => !isNamedExport(statement)) ?? []
    expect(unnamed.map((statement) => statement.getText(index))).toEqual([])
  })
})

function isNamedExport(statement: ts.Statement): boolean {
  return (
    ts.isExportDeclaration(statement) &&
    statement.exportClause !== undefined &&
    ts.isNamedExports(statement.exportClause)
  )
}

/** The codes that stand in none of these READMEs. */
function unlisted(codes: readonly string[], readmes: readonly string[]): readonly string[] {
  const text = readmes.map((readme) => (existsSync(readme) ? readFileSync(readme, 'utf8') : '')).join()
  return [...new Set(codes)].filter((code) => !text.includes(`\`${code}\``))
}

/** Texts like `CAS_CORRUPT` in types named `…ErrorCode` or `…FindingCode`. */
function declaredCodes(source: ts.SourceFile): readonly string[] {
  return codesIn(source, (node) => ts.isTypeAliasDeclaration(node) && /(?:Error|Finding)Code$/.test(node.name.text))
}

/** Texts like `CAS_CORRUPT` as the value of a property `code`. */
function usedCodes(source: ts.SourceFile): readonly string[] {
  return codesIn(source, (node) => ts.isPropertyAssignment(node) && node.name.getText(source) === 'code')
}

function codesIn(source: ts.SourceFile, opens: (node: ts.Node) => boolean): readonly string[] {
  const codes: string[] = []
  const visit = (node: ts.Node, inside: boolean): void => {
    const here = inside || opens(node)
    if (here && ts.isStringLiteral(node) && /^[A-Z]+(?:_[A-Z0-9]+)+$/.test(node.text)) codes.push(node.text)
    ts.forEachChild(node, (child) => visit(child, here))
  }
  visit(source, false)
  return codes
}
