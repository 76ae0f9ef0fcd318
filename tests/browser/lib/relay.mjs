// A server between the page and `safelight serve`: records requests, and can delay or replace answers.

import { createServer } from 'node:http';

/**
 * Returns `{ url, site, seen, models, stop }`: `seen` are the requests other than GET, with their bodies, and `models` the
 * models that the server has. All requests are passed on to `site`. Answers wait for the promise `hold`; `answer`
 * (`[status, value]`) replaces the answer to a POST.
 */
export async function startRelay() {
  const relay = { site: null, seen: [], models: new Set(), hold: null, answer: null };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const { method, headers } = request;
    const url = new URL(request.url, relay.site);
    if (method !== 'GET') {
      relay.seen.push({ method, pathname: url.pathname, learner: url.searchParams.get('learner'), type: headers['content-type'], body });
      await relay.hold;
      if (relay.answer && method === 'POST') {
        const [status, value] = relay.answer;
        const type = status >= 400 ? 'application/problem+json' : 'application/json';
        return response.writeHead(status, { 'Content-Type': type }).end(JSON.stringify(value));
      }
    }
    const type = headers['content-type'] ? { 'Content-Type': headers['content-type'] } : {};
    const answer = await fetch(url, { method, headers: type, body: method === 'POST' ? body : undefined });
    const text = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 201) relay.models.add(JSON.parse(text).id);
    if (method === 'DELETE' && answer.ok) relay.models.delete(url.pathname.split('/').pop());
    const { 'content-encoding': _, 'content-length': __, 'transfer-encoding': ___, connection: ____, ...passed } = Object.fromEntries(answer.headers);
    response.writeHead(answer.status, passed).end(text);
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return Object.assign(relay, {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  });
}
