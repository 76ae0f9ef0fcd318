// Passkeys that protect stored keys: WebAuthn with the PRF extension, with which a passkey derives a 32-byte secret from
// a salt, always the same one. Browsers offer it only to pages, so this runs in the page and passes the secret to the keeper.
// A frame needs the page's permission: allow="publickey-credentials-create; publickey-credentials-get".

import { cancelled, checkSignal, SafelightError } from '../../shared/errors.js';

const RULES = ['publickey-credentials-create', 'publickey-credentials-get'];
const ALGORITHMS = [-8, -7, -257]; // EdDSA, ES256, RS256: whichever the authenticator supports; nothing is ever signed
const PRESET_NAME = 'Safelight';

/** Whether this browser supports passkeys with PRF, and this page or frame may use them. */
export async function available() {
  const policy = document.permissionsPolicy ?? document.featurePolicy; // if the browser has neither, we find out by trying
  if (policy && !RULES.every((rule) => policy.allowsFeature(rule))) return false;
  const can = await PublicKeyCredential.getClientCapabilities?.().catch(() => null);
  return can?.['extension:prf'] === true;
}

/** Creates a passkey. Returns `{ credential, salt, secret }`: its id, the salt, and its secret for that salt. */
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
  // Many authenticators return the secret only for a later request.
  const secret = results?.first ? new Uint8Array(results.first) : await ask({ credential, salt, signal });
  return { credential, salt, secret };
}

/** Asks a passkey for its secret. */
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
  throw new SafelightError('no_passkey', 'the passkey returned no secret; try another browser, or open your key file');
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
  throw new SafelightError('no_passkey', 'no passkey was used; try again, or use a passphrase');
}

const random = (length) => crypto.getRandomValues(new Uint8Array(length));
