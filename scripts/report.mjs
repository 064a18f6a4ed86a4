/** How every check ends: the problems one a line and exit code 1, or one line that says what was checked. */
export function report(problems, checked) {
  for (const problem of problems) console.error(problem)
  if (problems.length > 0) process.exitCode = 1
  else console.log(checked)
}
