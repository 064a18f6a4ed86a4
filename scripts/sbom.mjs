// `npm run sbom`: what each published package brings with it on the day of its release, as CycloneDX, in sbom/. Each is packed and
// installed by itself, and npm says what is there: in the workspace it would tell of the workspace.
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fail, root } from './bootstrap.mjs'
import { folders } from './consumers.mjs'

const work = mkdtempSync(join(tmpdir(), 'sallyport-sbom-'))
const omit = ['--omit=dev', '--omit=peer', '--omit=optional']
try {
  const packed = JSON.parse(
    must(root, 'npm', 'pack', '--json', '--pack-destination', work, ...folders.map((folder) => `./${folder}`)),
  )
  const tarballs = new Map(Object.values(packed).map(({ name, filename }) => [name, join(work, filename)]))
  mkdirSync(join(root, 'sbom'), { recursive: true })
  for (const [name, tarball] of tarballs) write(name, tarball, tarballs)
} finally {
  rmSync(work, { recursive: true, force: true })
}

function write(name, tarball, tarballs) {
  const project = join(work, name) // npm takes the name from the folder
  mkdirSync(project, { recursive: true })
  must(project, 'tar', '--extract', '--strip-components=1', '--file', tarball)
  const { version, dependencies = {} } = JSON.parse(must(project, 'npm', 'pkg', 'get'))
  const ours = Object.keys(dependencies).flatMap((dependency) => tarballs.get(dependency) ?? [])
  must(project, 'npm', 'install', '--no-save', '--ignore-scripts', ...omit, ...ours)
  const bom = must(project, 'npm', 'sbom', '--sbom-format=cyclonedx', '--sbom-type=library', ...omit)
  const { metadata, components } = JSON.parse(bom)
  const told = [metadata.component, ...components].map((component) => component.name)
  const missing = [name, ...Object.keys(dependencies)].filter((wanted) => !told.includes(wanted))
  if (missing.length > 0) fail(`npm left out ${missing.join(', ')} of ${name}`)
  const file = `sbom/${name.replace(/^@/, '').replace('/', '-')}-${version}.cdx.json`
  writeFileSync(join(root, file), bom)
  console.log(`${file}: ${components.length} components`)
}

function must(cwd, command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: 'utf8' })
  if (status !== 0) fail(`${command} ${args.join(' ')} failed:\n${stderr}`)
  return stdout
}
