// Prints what CHANGELOG.md says of a tag such as v0.2.0, and fails unless that is the version of every package.
import { fail, readJson } from './bootstrap.mjs'
import { notesOf } from './changelog.mjs'
import { folders } from './consumers.mjs'

const [tag] = process.argv.slice(2)
for (const folder of folders) {
  const { name, version } = readJson(`${folder}/package.json`)
  if (tag !== `v${version}`)
    fail(`The tag is ${tag}, and ${name} is ${version}: run npm run version, commit, and tag that.`)
}
const notes = notesOf(tag.slice(1))
if (!notes) fail(`CHANGELOG.md says nothing of ${tag.slice(1)}: run npm run version.`)
console.log(notes)
