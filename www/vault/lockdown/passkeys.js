// Passkeys are requested only under the vault's own name: for other names, browsers bypass the policy and ask the network
// whether the two names are related. No other credentials are requested; some of them involve addresses, too.

import { apply, removeAll, replace } from './held.js';

/** Without a prototype: members that a script has added to all objects would count. */
const bare = (members) => ({ __proto__: null, ...members });

/** The only extension used, with nothing but its input. */
const secretFor = ({ prf }) => bare({ prf: bare({ eval: bare({ first: prf.eval.first }) }) });

if (globalThis.CredentialsContainer) {
  const { prototype } = CredentialsContainer;
  removeAll(prototype, (name) => !['constructor', 'create', 'get'].includes(name));
  replace(prototype, 'get', (get) =>
    function ({ signal, publicKey: { challenge, allowCredentials, userVerification, extensions } }) {
      const publicKey = bare({ challenge, allowCredentials, userVerification, extensions: secretFor(extensions) });
      return apply(get, this, [bare({ signal, publicKey })]);
    },
  );
  replace(prototype, 'create', (create) =>
    function ({ signal, publicKey: { rp, user, challenge, pubKeyCredParams, authenticatorSelection, extensions } }) {
      const common = { user, challenge, pubKeyCredParams, authenticatorSelection };
      const publicKey = bare({ ...common, rp: bare({ name: rp.name }), extensions: secretFor(extensions) });
      return apply(create, this, [bare({ signal, publicKey })]);
    },
  );
}
if (globalThis.PublicKeyCredential) removeAll(PublicKeyCredential, (name) => name !== 'getClientCapabilities');
