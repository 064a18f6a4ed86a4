/** The application behind every server: it answers what it is told. */
export function echo(socket) {
  socket.on('error', () => {})
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }))
}
