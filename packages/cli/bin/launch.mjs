import { existsSync } from 'node:fs'

const NEEDED = [22, 18]

/** Starts a program, or says which Node it needs: this file must run on any Node that knows ES modules. */
export async function launch(name, version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number)
  if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
    console.error(
      `${name} needs Node ${NEEDED.join('.')} or newer; this is v${version}.\n` +
        `One way to have it: npx --yes --package=node@24 -- ${name} …`,
    )
    process.exitCode = 2
    return
  }
  const program = new URL(`../dist/${name}.js`, import.meta.url)
  if (!existsSync(program)) {
    console.error(`${name} is not built yet: run "pnpm run build" in the repository.`)
    process.exitCode = 2
    return
  }
  const { main } = await import(program.href)
  process.exitCode = await main(process.argv.slice(2))
}
