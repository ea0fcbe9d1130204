/** Node's own modules where there is a Node: this package also runs in browsers, so nothing here may be imported statically. */
interface BuiltinModules {
  'node:crypto': typeof import('node:crypto')
  'node:module': typeof import('node:module')
}

/** The built-in module, or `undefined` outside Node. */
export function builtinModule<Name extends keyof BuiltinModules>(name: Name): BuiltinModules[Name] | undefined {
  return globalThis.process?.getBuiltinModule?.(name)
}
