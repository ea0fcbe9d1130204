import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import {
  CompilerState,
  Extractor,
  ExtractorConfig,
  ExtractorLogLevel,
  type ExtractorMessage,
} from '@microsoft/api-extractor'
import { publishedPackages, type WorkspacePackage } from './workspace.ts'

/** Where the reports of a package are. */
export const REPORTS = 'api'

/** All that one entry point of a package shows, in one text. */
export interface ApiReport {
  /** As it is imported: `@vault/cas/testing`. */
  readonly specifier: string
  /** Absolute path of the file that holds it. */
  readonly path: string
  /** How it reads now. */
  readonly text: string
}

/** The reports of all packages, from their built declarations. */
export function apiReports(): readonly ApiReport[] {
  const folder = mkdtempSync(join(tmpdir(), 'vault-api-'))
  try {
    const entries = publishedPackages().flatMap((each) => entriesOf(each, join(folder, each.short)))
    const [first] = entries
    if (!first) return []
    // One compiler for all: half a minute less than one for each.
    const compilerState = CompilerState.create(first.config, {
      additionalEntryPoints: entries.map(({ config }) => config.mainEntryPointFilePath),
    })
    return entries.map(({ specifier, path, config }) => {
      Extractor.invoke(config, { compilerState, localBuild: true, messageCallback })
      return { specifier, path, text: readFileSync(join(config.reportFolder, basename(path)), 'utf8') }
    })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

interface Entry {
  readonly specifier: string
  readonly path: string
  readonly config: ExtractorConfig
}

function entriesOf({ short, folder, manifest }: WorkspacePackage, output: string): readonly Entry[] {
  mkdirSync(output)
  return Object.entries(manifest.exports ?? {}).flatMap(([subpath, target]) => {
    if (!hasTypes(target)) return []
    // `cas` for `.`, `cas.testing` for `./testing`.
    const reportFileName = subpath.replace('.', short).replaceAll('/', '.')
    const declarations = join(folder, target.types)
    const config = ExtractorConfig.prepare({
      configObject: {
        projectFolder: folder,
        mainEntryPointFilePath: declarations,
        newlineKind: 'lf',
        compiler: { overrideTsconfig: { compilerOptions: COMPILER_OPTIONS, files: [declarations] } },
        // A type that is not exported, but that a public signature names, is as public as that.
        apiReport: {
          enabled: true,
          reportFileName,
          reportFolder: output,
          reportTempFolder: join(output, 'temporary'),
          includeForgottenExports: true,
        },
        docModel: { enabled: false },
        dtsRollup: { enabled: false },
        tsdocMetadata: { enabled: false },
        messages: {
          compilerMessageReporting: { default: { logLevel: ExtractorLogLevel.Error } },
          extractorMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
          tsdocMessageReporting: { default: { logLevel: ExtractorLogLevel.None } },
        },
      },
      configObjectFullPath: undefined,
      packageJsonFullPath: join(folder, 'package.json'),
    })
    const path = join(folder, REPORTS, `${reportFileName}.api.md`)
    return [{ specifier: manifest.name + subpath.slice(1), path, config }]
  })
}

/** What a user of the web platform compiles with. */
const COMPILER_OPTIONS = {
  lib: ['ES2024', 'ESNext.Disposable', 'DOM', 'DOM.AsyncIterable'],
  module: 'NodeNext',
  moduleResolution: 'NodeNext',
  strict: true,
  target: 'ES2024',
  types: [],
}

function hasTypes(target: unknown): target is { readonly types: string } {
  return typeof target === 'object' && target !== null && 'types' in target && typeof target.types === 'string'
}

/** Nothing is printed; what cannot be analysed is an error. */
function messageCallback(message: ExtractorMessage): void {
  message.handled = true
  if (message.logLevel === ExtractorLogLevel.Error) throw new Error(message.formatMessageWithLocation(undefined))
}
