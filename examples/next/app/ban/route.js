// Next compiles this file by itself, so that an import of the guard would make a second one, which knows no connection.
export async function POST(request) {
  const { user } = await request.json()
  await globalThis.guard.revoke({ user })
  return new Response(null, { status: 204 })
}
