// Types of the element: `import 'safelight/element'`.

import type { FilterFacts, Phase } from './safelight.js';
import type { Server } from './server.js';

/** What the vault says when it is ready. */
export interface VaultFacts {
  readonly version: string;
  readonly filters: readonly FilterFacts[];
  readonly build: { readonly variant: string; readonly arithmetic: string };
}

export interface SafeLightProgress {
  readonly phase: Exclude<Phase, 'decrypt' | 'learn'> | 'keys';
  readonly done: number;
  readonly total: number;
  /** How much of all that the user wants is done, 0 to 1. */
  readonly fraction: number;
  readonly secondsLeft: number | null;
}

export interface SafeLightDone {
  /** The encrypted photo. */
  readonly upload: Blob;
  /** The encrypted result; null where the job is only to encrypt. */
  readonly reply: Blob | null;
  readonly width: number;
  readonly height: number;
}

/** What the server has learned, with job="classify". Whoever knows the id can use it. */
export interface SafeLightModel {
  readonly id: string;
  /** Numbers that stand for names, which the vault keeps, in the order of the model's classes. */
  readonly labels: readonly string[];
  /** The server's address. */
  readonly base: URL;
}

/** The element's own events. None bubbles. */
export interface SafeLightEventMap {
  /** Photos can be dropped. */
  ready: CustomEvent<VaultFacts>;
  progress: CustomEvent<SafeLightProgress>;
  /** The page has the encrypted files of a photo. Whether the result opens is between the vault and the user. */
  done: CustomEvent<SafeLightDone>;
  /** With job="classify": the server has learned from scrambled pictures. */
  trained: CustomEvent<{ readonly labels: readonly string[] }>;
  /** The server has said what a scrambled picture shows; a probability for each class, if it has given them. */
  classified: CustomEvent<{ readonly label: string; readonly probabilities: readonly number[] | null }>;
  /** With job="classify-encrypted": a network has answered; only the vault can read what. */
  answered: CustomEvent<{ readonly upload: Blob; readonly reply: Blob }>;
  /** A photo, or the vault, failed; see `SafelightErrorCode`. */
  error: CustomEvent<{ readonly code: string }>;
}

/**
 * `<safe-light server="…" vault="…" filter="mean" radius="1">`: shows the vault, takes encrypted photos to the server and
 * back. It never has a photo, a file name or a key.
 *
 * Attributes: `server`, `vault` (addresses), `job` (`filter`, `encrypt`, `open`, `classify` or
 * `classify-encrypted`), `filter` and its parameters,
 * `border`, `view`, `learner` (for `classify`), `network` (for `classify-encrypted`), `lang`, `theme` (`light` or `dark`), `label`, `name` (in a form).
 */
export class SafeLightElement extends HTMLElement {
  static readonly formAssociated: true;
  static readonly observedAttributes: readonly string[];

  /** The server that the element talks to; null before it has one. */
  readonly server: Server | null;
  /** What the vault said about itself, or null before that. */
  readonly vault: VaultFacts | null;
  /** The last encrypted photo and the last encrypted result. */
  readonly upload: Blob | null;
  readonly reply: Blob | null;
  /** What the server has learned with job="classify", or null. */
  readonly model: SafeLightModel | null;
  /** Resolves when photos can be dropped; fails when the vault cannot be reached. */
  readonly ready: Promise<void>;
  /** The form that the element is part of; its value there is the encrypted result, or the encrypted photo. */
  readonly form: HTMLFormElement | null;
  /** The attribute `name`. */
  readonly name: string;

  /** Hands the vault an encrypted image. It is opened when the user clicks there, for the user alone. */
  open(file: Blob | BufferSource): void;
  /** The work stops after what is under way, until `resume`. */
  pause(): void;
  resume(): void;
  /** Gives up what is under way and what waits. */
  cancel(): void;
  /** Removes finished photos from the vault's list. */
  clear(): void;

  addEventListener<K extends keyof (SafeLightEventMap & Omit<HTMLElementEventMap, keyof SafeLightEventMap>)>(
    type: K,
    listener: (
      this: SafeLightElement,
      event: (SafeLightEventMap & Omit<HTMLElementEventMap, keyof SafeLightEventMap>)[K],
    ) => void,
    options?: boolean | AddEventListenerOptions,
  ): void;
  addEventListener(
    type: string,
    listener: EventListenerOrEventListenerObject,
    options?: boolean | AddEventListenerOptions,
  ): void;
}

declare global {
  interface HTMLElementTagNameMap {
    'safe-light': SafeLightElement;
  }
}
