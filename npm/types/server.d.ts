// Types of the way to a server: `import { Server } from 'safelight/server'`.

import type { Cancellable, FilterFacts, FilterParameters, Lengthy, ServerLimits } from './safelight.js';

/** What a server says about itself. A very simple one may leave out most of it. */
export interface ServerInfo {
  readonly name?: string;
  readonly version?: string;
  readonly wire_version?: number;
  readonly filters?: readonly FilterFacts[];
  readonly limits?: ServerLimits & {
    readonly max_ciphertexts?: number;
    readonly time_limit_seconds?: number;
  };
}

/** What a model says about a picture. */
export interface ServerVerdict {
  readonly label: string;
  /** One probability per label of the model, or null if the model gives none. */
  readonly probabilities: readonly number[] | null;
}

/** A server that works on what it cannot see. Nothing secret passes through here. */
export class Server {
  /** `base` is the address above the server's `v1/`; a page may give a relative one. */
  constructor(base: string | URL);
  /** What it said about itself when it was last looked at. */
  readonly info: ServerInfo | null;
  /** The address above the server's `v1/`. */
  readonly base: URL;
  /** Name and port. */
  readonly host: string;
  /** What it calls itself, with its version; empty if it has not said so. */
  readonly title: string;
  /** Asks what the server can do; null if it does not say. */
  look(options?: Cancellable): Promise<ServerInfo | null>;
  /**
   * Sends an encrypted image (two, one after the other, for a filter of two) through a filter. Gives the encrypted result.
   * When it is aborted, the server gives the work up, too.
   */
  filter(
    image: Blob | ArrayBuffer | ArrayBufferView,
    options: {
      readonly filter: string;
      readonly params?: FilterParameters | undefined;
    } & Lengthy<'upload' | 'filter' | 'download'>,
  ): Promise<Blob>;
  /**
   * Sends evaluation keys, piece by piece. Where the connection breaks, it goes on. Gives the id under which they can be used
   * and deleted, which nobody else knows.
   */
  uploadKeys(keys: AsyncIterable<Blob> & { readonly bytes: number }, options?: Lengthy<'upload'>): Promise<string>;
  deleteKeys(id: string, options?: Cancellable): Promise<void>;
  /** Like `uploadKeys`, for a Blob or an iterable. Returns the path of the keys on the server, for `ask`, `remove` and `forget`. */
  sendKeys(
    keys: Blob | (AsyncIterable<Blob> & { readonly bytes: number }),
    options?: Lengthy<'upload'>,
  ): Promise<string>;
  /** The public part of a network, for `Ckks.network`. */
  network(name: string, options?: Cancellable): Promise<Blob>;
  /** Has a network classify an encrypted photo, with the evaluation keys under a path from `sendKeys`. Returns its encrypted answer. */
  ask(network: string, keys: string, photo: Blob, options?: Lengthy<'upload' | 'classify' | 'download'>): Promise<Blob>;
  /**
   * Has the server learn from pictures that it sees, usually scrambled ones. Anyone who knows the model's id can use it. The
   * labels are in the order of the model's probabilities.
   */
  train(
    pictures: readonly { readonly label: string; readonly file: Blob }[],
    options: { readonly learner: string } & Lengthy<'upload' | 'learn'>,
  ): Promise<{ readonly id: string; readonly labels: readonly string[] }>;
  /** Asks a model what a picture shows. */
  classify(model: string, picture: Blob, options?: Cancellable): Promise<ServerVerdict>;
  /** Deletes keys or a model, by a path such as `v1/models/{id}`. */
  remove(path: string, options?: Cancellable): Promise<void>;
  /** The same without waiting, whether or not the server can be reached. */
  forget(path: string): void;
}
