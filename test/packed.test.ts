import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { exportedSpecifiers, publishedPackages, ROOT, type WorkspacePackage } from './workspace.ts'

// What a user gets: each package is packed and installed from its tarball into a project of its own. Nothing is
// hoisted, so whatever a package uses without declaring it is not there.

const packages = publishedPackages()
const run = promisify(execFile)
let base: string

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'vault-packed-'))
  await run('pnpm', ['-r', '--filter=./packages/*', 'pack', '--out', join(base, '%s.tgz')], { cwd: ROOT })
  const overrides = Object.fromEntries(packages.map((each) => [each.manifest.name, `file:${tarball(each)}`]))
  await writeJson('pnpm-workspace.yaml', { packages: ['projects/*'], hoist: false, overrides })
  await writeJson('package.json', { private: true })
  for (const each of packages) await createProject(each.short, [each])
  await createProject('types', packages)
  await run('pnpm', ['install', '--prefer-offline', '--ignore-scripts', '--reporter=silent'], { cwd: base })
})
afterAll(() => rm(base, { recursive: true, force: true }))

function tarball({ short }: WorkspacePackage): string {
  return join(base, `vault-${short}.tgz`)
}

function project(name: string): string {
  return join(base, 'projects', name)
}

async function createProject(name: string, dependencies: readonly WorkspacePackage[]): Promise<void> {
  await mkdir(project(name), { recursive: true })
  const wanted = Object.fromEntries(dependencies.map(({ manifest }) => [manifest.name, '*']))
  await writeJson(`projects/${name}/package.json`, { private: true, name, type: 'module', dependencies: wanted })
}

async function writeJson(path: string, value: unknown): Promise<void> {
  await writeFile(join(base, path), JSON.stringify(value))
}

/** Output and exit code in one text, empty for a command that succeeded. */
async function failureOf(command: string, args: readonly string[], cwd: string): Promise<string> {
  try {
    await run(command, args, { cwd, env: { ...process.env, NO_COLOR: '1' } })
    return ''
  } catch (error) {
    const { code, stdout, stderr } = error as { code: unknown; stdout: string; stderr: string }
    return `exit ${code}\n${stdout}\n${stderr}`
  }
}

describe.each(packages.map((each) => [each.manifest.name, each] as const))('%s', (name, each) => {
  test('publint has nothing to say', async () => {
    expect(await failureOf('publint', ['run', tarball(each), '--strict'], base)).toBe('')
  })

  test('its types resolve as its code does', async () => {
    expect(await failureOf('attw', [tarball(each), '--profile', 'esm-only'], base)).toBe('')
  })

  test('it brings its licence and its README', async () => {
    const files = await readdir(join(project(each.short), 'node_modules', name))
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist', 'package.json', 'src']))
    expect(files).not.toContain('test')
    expect(files).not.toContain('api')
  })

  test('installed alone, everything it exports can be imported', async () => {
    const program = exportedSpecifiers(each).map((specifier) => `await import('${specifier}')`)
    const args = ['--input-type=module', '--eval', program.join('\n')]
    expect(await failureOf(process.execPath, args, project(each.short))).toBe('')
  })

  test.each(Object.keys(each.manifest.bin ?? {}))('installed alone, %s prints its help', async (bin) => {
    expect(await failureOf(join(project(each.short), 'node_modules/.bin', bin), ['--help'], base)).toBe('')
  })
})

test('the published types need nothing but the web platform', async () => {
  const imports = packages.flatMap(exportedSpecifiers).map((specifier) => `import '${specifier}'`)
  await writeFile(join(project('types'), 'main.ts'), imports.join('\n'))
  const compilerOptions = {
    lib: ['ES2024', 'ESNext.Disposable', 'DOM', 'DOM.AsyncIterable'],
    module: 'NodeNext',
    noEmit: true,
    skipLibCheck: false,
    strict: true,
    target: 'ES2024',
    types: [],
  }
  await writeJson('projects/types/tsconfig.json', { compilerOptions, include: ['main.ts'] })
  expect(await failureOf('tsc', ['-p', '.'], project('types'))).toBe('')
})
