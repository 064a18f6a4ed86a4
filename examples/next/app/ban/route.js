// Next compiles this file by itself, so that an import of the guard would make a second one, which knows no connection.
// Anybody may call this one. Yours asks first who it is, and whether they may.
export async function POST(request) {
  const { user } = await request.json()
  await globalThis.guard.revoke({ user })
  return new Response(null, { status: 204 })
}
