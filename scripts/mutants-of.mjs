/** Rows of mutants as objects: what to find, what takes its place, why, and why it survives where it does. */
export const mutantsOf =
  (folder = '') =>
  (file, tests, list) =>
    list.map(([find, replace, why, survives]) => ({
      file: `${folder}${file}`,
      find,
      replace,
      tests,
      why,
      ...(survives && { survives }),
    }))
