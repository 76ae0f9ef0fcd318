// A server that learns from scrambled pictures, with the interface of `safelight serve`, for tests of the vault: the nearest
// of the classes' mean pictures. It stores everything that it is sent. Whatever else it is asked for, it gets from `site`.

import { createServer } from 'node:http';
import { randomUUID } from 'node:crypto';
import { decodePng } from './png.mjs';

/**
 * Gives `{ url, site, seen, models, stop }`: all requests with their bodies, and the models. Answers wait for the promise `hold`;
 * `answer` (`[status, value]`) is given instead of the right one.
 */
export async function startLearner() {
  const learner = { site: null, seen: [], models: new Map(), hold: null, answer: null };
  const server = createServer(async (request, response) => {
    const parts = [];
    for await (const part of request) parts.push(part);
    const body = Buffer.concat(parts);
    const { pathname, searchParams } = new URL(request.url, 'http://learner');
    const { method, headers } = request;
    const reply = (status, value, more = {}) => {
      const type = status >= 400 ? 'application/problem+json' : 'application/json';
      response.writeHead(status, { 'Content-Type': type, ...more }).end(value === null ? undefined : JSON.stringify(value));
    };
    if (method === 'GET') {
      const answer = await fetch(new URL(request.url, learner.site));
      const { 'content-encoding': _, 'content-length': __, ...passed } = Object.fromEntries(answer.headers);
      return response.writeHead(answer.status, passed).end(Buffer.from(await answer.arrayBuffer()));
    }
    learner.seen.push({ method, pathname, learner: searchParams.get('learner'), type: headers['content-type'], body });
    await learner.hold;
    if (learner.answer && method === 'POST') return reply(...learner.answer);
    if (method === 'POST' && pathname === '/v1/models') {
      const { id, classes } = train(learner.models, await form(headers, body));
      return reply(201, { id, classes }, { Location: `/v1/models/${id}` });
    }
    const [, , kind, id] = pathname.split('/');
    const model = learner.models.get(id);
    if (!model) return reply(404, { code: 'model_not_found', detail: 'there is no such model' });
    if (method === 'POST' && kind === 'classifiers') return reply(200, await near(model, decodePng(body).data));
    if (method === 'DELETE' && kind === 'models') return reply((learner.models.delete(id), 204), null);
    reply(404, { code: 'not_found', detail: 'there is nothing here' });
  });
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  return Object.assign(learner, {
    url: `http://127.0.0.1:${server.address().port}/`,
    stop: () => new Promise((done) => (server.closeAllConnections(), server.close(done))),
  });
}

const form = (headers, body) => new Response(body, { headers: { 'Content-Type': headers['content-type'] } }).formData();

function train(models, data) {
  const classes = new Map();
  for (const [label, file] of data) classes.set(label, [...(classes.get(label) ?? []), file]);
  const id = randomUUID();
  const model = { labels: [...classes.keys()], means: null };
  models.set(id, model);
  model.means = Promise.all(
    [...classes.values()].map(async (files) => {
      const pictures = await Promise.all(files.map(async (file) => decodePng(Buffer.from(await file.arrayBuffer())).data));
      return Float64Array.from(pictures[0], (_, i) => pictures.reduce((sum, picture) => sum + picture[i], 0) / pictures.length);
    }),
  );
  return { id, classes: [...classes].map(([label, { length }]) => ({ label, pictures: length })) };
}

async function near(model, picture) {
  const distances = (await model.means).map((mean) => mean.reduce((sum, value, i) => sum + (value - picture[i]) ** 2, 0));
  const scores = distances.map((distance) => -distance / picture.length / 500);
  const powers = scores.map(Math.exp);
  const whole = powers.reduce((sum, power) => sum + power, 0);
  const found = scores.indexOf(Math.max(...scores));
  return { label: model.labels[found], class: found, scores, probabilities: powers.map((power) => power / whole) };
}
