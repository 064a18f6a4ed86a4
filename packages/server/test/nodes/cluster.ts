// The primary of node:cluster with its workers, each a node on the store of the cluster.
import cluster from 'node:cluster'
import type { NodeArguments } from './node.js'

/** What the primary is told. */
export interface ClusterArguments {
  readonly workers: number
  readonly node: NodeArguments
}

if (cluster.isPrimary) {
  const { workers, node } = JSON.parse(process.argv[2] ?? '') as ClusterArguments
  cluster.setupPrimary({ args: [JSON.stringify(node)] })
  const ports: number[] = []
  for (let i = 0; i < workers; i++) {
    const worker = cluster.fork()
    worker.on('message', (port: number) => {
      ports.push(port)
      if (ports.length === workers) process.send?.(ports)
    })
  }
  process.on('message', (signal: NodeJS.Signals) => {
    for (const worker of Object.values(cluster.workers ?? {}).slice(0, 1)) worker?.process.kill(signal)
    process.send?.('killed')
  })
  process.on('disconnect', () => process.exit())
} else {
  void import('./node.js')
}
