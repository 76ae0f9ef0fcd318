// Passkeys that protect stored keys: WebAuthn with its extension PRF, by which a passkey gives a secret of 32 bytes that
// always is the same for the same salt. Browsers offer it to pages only, so this runs there and hands the secret to the
// keeper. In a frame it takes the page's permission: allow="publickey-credentials-create; publickey-credentials-get".

import { cancelled, checkSignal, SafelightError } from '../../shared/errors.js';

const RULES = ['publickey-credentials-create', 'publickey-credentials-get'];
const ALGORITHMS = [-8, -7, -257]; // EdDSA, ES256, RS256: whichever the authenticator has; nothing is ever signed with it
const PRESET_NAME = 'Safelight';

/** Whether this browser has passkeys with PRF, and this page or frame may use them. */
export async function available() {
  const policy = document.permissionsPolicy ?? document.featurePolicy; // where the browser has neither, trying will show
  if (policy && !RULES.every((rule) => policy.allowsFeature(rule))) return false;
  const can = await PublicKeyCredential.getClientCapabilities?.().catch(() => null);
  return can?.['extension:prf'] === true;
}

/** Makes a passkey. Gives `{ credential, salt, secret }`: its id, and what it gives for that salt. */
export async function make({ name = PRESET_NAME, signal }) {
  const salt = random(32);
  const made = await asked(signal, () =>
    navigator.credentials.create({
      signal,
      publicKey: {
        rp: { name: 'Safelight' },
        user: { id: random(16), name, displayName: name },
        challenge: random(32),
        pubKeyCredParams: ALGORITHMS.map((alg) => ({ type: 'public-key', alg })),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'required' },
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { enabled, results } = made.getClientExtensionResults().prf ?? {};
  if (!enabled && !results) {
    throw new SafelightError('no_passkey', 'this passkey cannot protect keys; choose another one, or a passphrase');
  }
  const credential = new Uint8Array(made.rawId);
  // Many authenticators give the secret only when they are asked for it later.
  const secret = results?.first ? new Uint8Array(results.first) : await ask({ credential, salt, signal });
  return { credential, salt, secret };
}

/** Has a passkey give its secret. */
export async function ask({ credential, salt, signal }) {
  const got = await asked(signal, () =>
    navigator.credentials.get({
      signal,
      publicKey: {
        challenge: random(32),
        allowCredentials: [{ type: 'public-key', id: credential }],
        userVerification: 'required',
        extensions: { prf: { eval: { first: salt } } },
      },
    }),
  );
  const { results } = got.getClientExtensionResults().prf ?? {};
  if (results?.first) return new Uint8Array(results.first);
  throw new SafelightError('no_passkey', 'the passkey gave no secret; try another browser, or open your key file');
}

async function asked(signal, work) {
  checkSignal(signal);
  try {
    const answer = await work();
    if (answer) return answer;
  } catch (error) {
    if (signal?.aborted) throw cancelled();
    if (!(error instanceof DOMException)) throw error;
  }
  throw new SafelightError('no_passkey', 'no passkey was used; try again, or take a passphrase');
}

const random = (length) => crypto.getRandomValues(new Uint8Array(length));
