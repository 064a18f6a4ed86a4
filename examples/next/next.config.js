// Two that run at once need a folder each.
export default { distDir: process.env.NEXT_DIST_DIR ?? '.next' }
