import { Scene, type Setting, type StartServer } from '../contract/scene.js'

/** A call of a test in another process. */
export interface Call {
  readonly method: keyof Scene | 'start'
  readonly args: readonly unknown[]
}

/** Answers the calls of a test in another process, each a POST: it starts scenes, one at a time, and asks them. */
export function controlOf(start: StartServer): (request: Request) => Promise<Response> {
  let scene: Scene | undefined
  return async (request) => {
    const { method, args } = (await request.json()) as Call
    try {
      if (method === 'start') {
        scene = await Scene.start(start, args[0] as Setting)
        return Response.json({ result: scene.port })
      }
      const act = scene?.[method] as (...args: readonly unknown[]) => unknown
      return Response.json({ result: await act.apply(scene, [...args]) })
    } catch (error) {
      return Response.json({ error: String(error) })
    }
  }
}
