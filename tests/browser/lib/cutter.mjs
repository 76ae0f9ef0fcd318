// A connection to a server that breaks: a byte proxy that ends connections.

import net from 'node:net';

/**
 * Returns `{ url, cut, left, stop }`. Each number in `cuts` ends both directions of a connection after that many more bytes
 * have gone to the server, over any connections; `left()` returns the number of cuts still to come.
 */
export async function startCutter(serverUrl, cuts) {
  const { hostname, port } = new URL(serverUrl);
  const rest = [...cuts];
  const sockets = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect(Number(port), hostname);
    const end = () => (client.destroy(), upstream.destroy());
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', end).on('close', () => (sockets.delete(socket), end()));
    }
    client.on('data', (bytes) => {
      const allowed = rest.length > 0 ? rest[0] : Infinity;
      if (bytes.length < allowed) {
        if (rest.length > 0) rest[0] -= bytes.length;
        if (!upstream.write(bytes)) client.pause(), upstream.once('drain', () => client.resume());
        return;
      }
      rest.shift();
      upstream.write(bytes.subarray(0, allowed), end);
    });
    upstream.pipe(client);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return {
    url: `http://127.0.0.1:${server.address().port}`,
    left: () => rest.length,
    stop: () => (sockets.forEach((socket) => socket.destroy()), new Promise((done) => server.close(done))),
  };
}
