/** Installs the dependencies of a folder, at the versions of its lockfile, where they are not there yet. */
export function installProject(folder: string): Promise<void>
