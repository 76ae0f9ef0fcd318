// As if the vault had been broken into: a script in it tries every way to other machines, and real sinks for UDP and TCP
// listen. Nothing reaches them. The same attempts on a page without the lockdown do: the sinks work.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';

const PATIENCE = 4000; // ms in which what was sent arrives

/** An address of this machine that is not the loopback: browsers do not look for peers there. */
const machine = Object.values(networkInterfaces()).flat().find(({ family, internal }) => family === 'IPv4' && !internal)?.address ?? '127.0.0.1';

/** Listens for datagrams and for connections. */
async function sinks() {
  const [datagrams, connections] = [[], []];
  const udp = dgram.createSocket('udp4');
  udp.on('message', (data) => datagrams.push(data));
  await new Promise((ready) => udp.bind(0, machine, ready));
  const open = new Set();
  const tcp = net.createServer((socket) => {
    open.add(socket);
    connections.push('a connection');
    socket.on('data', (data) => {
      const text = data.toString('latin1');
      connections.push(text);
      // Browsers have few connections to a host: they wait until one is free.
      if (/^[A-Z]+ \//.test(text)) socket.end('HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
    });
    socket.on('error', () => {});
  });
  await new Promise((ready) => tcp.listen(0, machine, ready));
  const stop = () => {
    udp.close();
    for (const socket of open) socket.destroy();
    tcp.close();
  };
  return { udp: udp.address().port, tcp: tcp.address().port, datagrams, connections, stop };
}

/** In a page: tries all of it, by name; gives the names of what did not fail at once. */
async function attempts({ machine, udp, tcp }) {
  const there = `http://${machine}:${tcp}/`;
  const ice = { iceServers: [{ urls: `stun:${machine}:${udp}` }, { urls: `turn:${machine}:${tcp}?transport=tcp`, username: 'u', credential: 'c' }] };
  const gather = (Peer) => {
    const peer = new Peer(ice);
    peer.createDataChannel('x');
    return peer.createOffer().then((offer) => peer.setLocalDescription(offer));
  };
  const framed = (frame) => {
    document.body.append(frame);
    return frame;
  };
  const fresh = () => framed(document.createElement('iframe'));
  const linked = (rel, href = there) => document.head.append(Object.assign(document.createElement('link'), { rel, href, as: 'fetch' }));
  const within = (make) => make(window[0]);
  const ways = {
    peer: () => gather(RTCPeerConnection),
    'peer of a frame': () => gather(fresh().contentWindow.RTCPeerConnection),
    'peer of a frame by its number': () => (fresh(), within(({ RTCPeerConnection }) => gather(RTCPeerConnection))),
    'peer of a frame in another case': () => {
      framed(document.createElementNS('http://www.w3.org/1999/xhtml', 'x:iframe'));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame of another document': () => {
      framed(document.implementation.createHTMLDocument().createElement('iframe'));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame made of text': () => {
      document.body.insertAdjacentHTML('beforeend', '<iframe></iframe>');
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame in a fragment': () => {
      document.body.append(document.createRange().createContextualFragment('<iframe></iframe>'));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame that a parser made': () => {
      document.body.append(new DOMParser().parseFromString('<iframe></iframe>', 'text/html').querySelector('iframe'));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame by a shadow': () => {
      const shadow = framed(document.createElement('div')).attachShadow({ mode: 'open' });
      shadow.innerHTML = '<iframe></iframe>';
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame that is an element of its own': () => {
      class Own extends HTMLIFrameElement {}
      customElements.define('own-frame', Own, { extends: 'iframe' });
      framed(new Own());
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a frame by a style sheet for XML': () => {
      const sheet = document.implementation.createDocument('http://www.w3.org/1999/XSL/Transform', 'xsl:stylesheet');
      const [template, element] = ['template', 'element'].map((name) => sheet.createElementNS('http://www.w3.org/1999/XSL/Transform', `xsl:${name}`));
      sheet.documentElement.setAttribute('version', '1.0');
      template.setAttribute('match', '/');
      element.setAttribute('name', 'iframe');
      element.setAttribute('namespace', 'http://www.w3.org/1999/xhtml');
      sheet.documentElement.append(template);
      template.append(element);
      const processor = new XSLTProcessor();
      processor.importStylesheet(sheet);
      document.body.append(processor.transformToFragment(document, document));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer after the guard was bribed': () => {
      Object.defineProperty(HTMLIFrameElement, Symbol.hasInstance, { value: () => false });
      Object.defineProperty(Element.prototype, 'localName', { get: () => 'p' });
      Object.prototype.iframe = false;
      return gather(fresh().contentWindow.RTCPeerConnection);
    },
    'peer of an object': () => {
      framed(Object.assign(document.createElement('object'), { type: 'text/html', data: 'about:blank' }));
      return within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
    },
    'peer of a window': () => gather(open('about:blank').RTCPeerConnection),
    socket: () => void new WebSocket(there.replace('http', 'ws')),
    'socket of a frame': () => void new (fresh().contentWindow.WebSocket)(there.replace('http', 'ws')),
    transport: () => new WebTransport(there.replace('http:', 'https:')).ready,
    events: () => void new EventSource(`${there}events`),
    fetch: () => fetch(`${there}fetch`, { mode: 'no-cors' }),
    beacon: () => void navigator.sendBeacon(`${there}beacon`, 'x'),
    image: () => void (new Image().src = `${there}image.png`),
    preconnect: () => linked('preconnect'),
    prefetch: () => linked('prefetch', `${there}prefetch`),
    preload: () => linked('preload', `${there}preload`),
    'a link that is there': () => Object.assign(document.querySelector('link'), { rel: 'preconnect', href: there }),
    'a copy of a link': () => document.head.append(Object.assign(document.querySelector('link').cloneNode(), { rel: 'preconnect', href: there })),
    'a link in text': () => document.head.insertAdjacentHTML('beforeend', `<link rel="preconnect" href="${there}">`),
    style: () => document.body.style.setProperty('background', `url(${there}style.png)`),
    video: () => framed(Object.assign(document.createElement('video'), { src: `${there}video` })).load(),
    script: () => void framed(Object.assign(document.createElement('script'), { src: `${there}script.js` })),
    module: () => import(`${there}module.js`),
    ping: () => framed(Object.assign(document.createElement('a'), { href: '#', ping: `${there}ping` })).click(),
  };
  const done = [];
  for (const [name, way] of Object.entries(ways)) {
    try {
      await Promise.race([way(), new Promise((go) => setTimeout(go, 300))]);
      done.push(name);
    } catch {
      // refused
    }
  }
  return done;
}

for (const name of browsers) {
  describe(`a script that broke into the vault, in ${name}`, () => {
    it('reaches no other machine, and the same script on another page does', async () => {
      const [seen, control, ahead] = [await sinks(), await sinks(), await sinks()];
      const server = await startServer();
      const plain = http.createServer((request, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end('<link rel="icon" href="data:,"><body>'));
      await new Promise((ready) => plain.listen(0, '127.0.0.1', ready));
      // The browser driver switches off what Firefox does ahead.
      const browser = await openBrowser(name, { prefs: { 'network.http.speculative-parallel-limit': 6 } });
      try {
        // The control first: what it sends would also be seen.
        const other = await browser.open(`http://localhost:${plain.address().port}/`, { ready: false });
        const sent = await other.page.evaluate(attempts, { machine, udp: control.udp, tcp: control.tcp });
        await sleep(PATIENCE);
        assert.ok(control.datagrams.length > 0, `no datagrams of ${sent}`);
        const text = control.connections.join('\n');
        const heard = (path) => text.includes(` /${path} `);
        assert.deepEqual(['fetch', 'beacon', 'image.png', 'prefetch'].filter((path) => !heard(path)), []);
        assert.match(text, /Upgrade: websocket/i);
        const preconnect = (href) => document.head.append(Object.assign(document.createElement('link'), { rel: 'preconnect', href }));
        await other.page.evaluate(preconnect, `http://${machine}:${ahead.tcp}/`);
        await sleep(PATIENCE);
        assert.deepEqual(ahead.connections, ['a connection']);
        await other.page.close();

        const page = await browser.open(server.url);
        const tried = await page.vault.evaluate(attempts, { machine, udp: seen.udp, tcp: seen.tcp });
        await sleep(PATIENCE);
        assert.deepEqual(seen.datagrams, []);
        assert.deepEqual(seen.connections, []);
        assert.equal(await page.vault.evaluate(() => window.length), 0, `there is a frame: ${tried}`);
        assert.deepEqual(tried.filter((way) => /peer|socket|link|preconnect|prefetch|preload/.test(way)), []);
      } finally {
        await browser.close();
        await server.stop();
        plain.close();
        for (const sink of [seen, control, ahead]) sink.stop();
      }
    });
  });
}
