// Passkeys are asked for under the vault's own name only: for other names browsers ask the network whether they belong together,
// past the policy. No other credentials are asked for at all; some of them have addresses, too.

import { apply, removeAll, replace } from './held.js';

/** Members that a script has given to all objects would count. */
const bare = (members) => ({ __proto__: null, ...members });

/** The one extension that is used, with what is asked of it. */
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
