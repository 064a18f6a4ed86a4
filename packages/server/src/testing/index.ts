export { RefusedError, type TestClient } from './client.js'
export { type TestClock, testClock } from './clock.js'
export { type TestNode, type TestNodesOptions, testNodes } from './nodes.js'
export { type ConnectOptions, type TestServer, type TestServerOptions, testServer } from './server.js'
