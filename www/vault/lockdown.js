// Runs before anything else in the vault, and closes two ways out that its content security policy leaves open or cannot
// express. Peer connections reach other machines past `connect-src`. And with Trusted Types, scripts for workers come
// through a policy: this one lets the vault's own origin pass and nothing else.

for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection', 'RTCDataChannel', 'WebTransport', 'WebSocket']) {
  delete globalThis[name];
}

globalThis.trustedTypes?.createPolicy('default', {
  createScriptURL(text) {
    const url = new URL(text, location.href);
    if (url.origin !== location.origin) throw new TypeError('a script from elsewhere');
    return url.href;
  },
});
