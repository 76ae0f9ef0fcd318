// Types of the class API: `import { Safelight } from 'safelight'`.

/// <reference lib="esnext.disposable" />

export {}; // only what is exported below is public

/** A file, or its bytes. Names are never read. */
export type FileLike = Blob | ArrayBuffer | ArrayBufferView;

/** A photo that was read, or a file with one: PNG, JPEG, WebP, or any other format that the browser can decode. */
export type PhotoLike = Photo | FileLike;

/**
 * The pixels used beyond an image's edge: the nearest pixel; the picture mirrored, without repeating its edge pixels (`c b`
 * before `a b c`, as NumPy's `reflect`, OpenCV's `BORDER_REFLECT_101` and SciPy's `mirror`); or black.
 */
export type Border = 'replicate' | 'reflect' | 'zero';

/** How results outside 0 to 255 are shown: clamped, halved around grey, or without their sign. */
export type View = 'clamp' | 'signed' | 'absolute';

/**
 * A filter's parameters by name, as in {@link Safelight.filters}. `weights` of the filter `kernel` are not mirrored (a
 * correlation). The pixel itself is under the weight in column `floor(columns / 2)` and row `floor(rows / 2)`, counted from 0.
 */
export type FilterParameters = Readonly<Record<string, string | number>>;

/** The phase of the work. */
export type Phase =
  | 'key'
  | 'decode'
  | 'encrypt'
  | 'upload'
  | 'filter'
  | 'learn'
  | 'classify'
  | 'download'
  | 'decrypt'
  | 'scramble';

/** The progress of the work. */
export interface Progress<P extends Phase = Phase> {
  readonly phase: P;
  /** Bytes for transfers, candidates for a new key, steps for scrambling, otherwise rows. */
  readonly done: number;
  /** The value of `done` at the end of the phase; 0 if unknown. */
  readonly total: number;
}

/** Options of everything that can be cancelled. An aborted call fails with the code `cancelled`. */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** Options of everything that may take long. */
export interface Lengthy<P extends Phase = Phase> extends Cancellable {
  readonly onProgress?: ((progress: Progress<P>) => void) | undefined;
}

/** The use of a key: encrypted photos, scrambled pictures (EtC), which are only obfuscated, or encrypted vectors. */
export type KeyKind = 'paillier' | 'etc' | 'ckks';

/** Public facts about one secret key of the ring. */
export interface KeyFacts {
  /** The key's public name, 32 hexadecimal digits; 16 for a key for scrambled pictures. */
  readonly fingerprint: string;
  readonly kind: KeyKind;
  readonly bits: number;
  /** The parameter set of a key for encrypted vectors. */
  readonly set?: CkksSet;
  /** The user's name for the key; empty if there is none. */
  readonly name: string;
  /** The time when the key was made or first opened here, in milliseconds since 1970. */
  readonly created: number;
  /** Whether the key was exported to a file. */
  readonly exported: boolean;
  /** Whether this browser keeps the key; otherwise the key is lost with this `Safelight`. */
  readonly stored: boolean;
  /** Whether the key is stored under a passphrase or passkey. */
  readonly protected: boolean;
  /** Whether the key will be stored as soon as a protection is chosen or the stored keys are unlocked. */
  readonly waits?: boolean;
  /** Whether the key has ever been stored unprotected. Old copies of it may then remain in the browser's files. */
  readonly exposed: boolean;
}

/** A filter of the catalogue. */
export interface FilterFacts {
  readonly name: string;
  readonly summary: string;
  /** The number of photos that the filter takes: 1, or 2 for a blend. */
  readonly inputs: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly help: string;
    readonly default: string | null;
  }[];
}

/** The filter to encrypt a photo for, and how it treats the photo's border. */
export interface EncryptOptions extends Lengthy<'decode' | 'encrypt'> {
  /** The filter that the server will apply. It determines how much border is sent along, and how much room each pixel has. */
  readonly filter: string;
  readonly params?: FilterParameters | undefined;
  /** `replicate` by default. */
  readonly border?: Border | undefined;
  /** Fail with `too_large` if an encrypted photo would have more bytes. */
  readonly maxBytes?: number | undefined;
}

export interface DecryptOptions extends Lengthy<'decrypt'> {
  /** `clamp` by default. */
  readonly view?: View | undefined;
  /** The photos that the image was made from. If given, the server is checked against them, with `filter` and `params`. */
  readonly photos?: readonly Photo[] | undefined;
  readonly filter?: string | undefined;
  readonly params?: FilterParameters | undefined;
  /** Without `photos`: the filter that must have been applied, such as `gaussian sigma=2`, or several filters in order. */
  readonly expect?: string | readonly string[] | undefined;
  /**
   * Without `photos`: `required` (the default) opens only images whose photos this key encrypted, and verifies what was done
   * to them; `where-possible` also opens photos that someone else encrypted; `none` verifies nothing.
   */
  readonly check?: 'required' | 'where-possible' | 'none' | undefined;
  /** Whether to make the PNG file, too. `pngOf` can make it later. `true` by default. */
  readonly png?: boolean | undefined;
}

export interface FilterOptions extends Lengthy {
  /** A `Server` of `safelight/server`, or another object that carries ciphertext to a server. */
  readonly server: FilterServer;
  readonly filter: string;
  readonly params?: FilterParameters | undefined;
  readonly border?: Border | undefined;
  readonly view?: View | undefined;
  readonly maxBytes?: number | undefined;
}

/** The part of a server that {@link Safelight.filter} needs. */
export interface FilterServer {
  /** The server's description of itself, if known. Its limits are observed. */
  readonly info?: { readonly limits?: ServerLimits | undefined } | null | undefined;
  look?(options: Cancellable): Promise<FilterServer['info']>;
  filter(
    image: Blob,
    options: { filter: string; params?: FilterParameters | undefined } & Lengthy<'upload' | 'filter' | 'download'>,
  ): Promise<Blob>;
}

export interface ServerLimits {
  /** The maximum number of bytes of one encrypted photo. */
  readonly max_bytes?: number;
  readonly max_pixels?: number;
}

/** The colour space of samples: sRGB, an ICC profile, PNG's code points (cICP), or its gamma and chromaticities. */
export type Colour = 'srgb' | 'icc' | 'cicp' | 'gamma';

/** An opened picture, without a file. */
export interface OpenedPicture {
  readonly width: number;
  readonly height: number;
  /** Colour planes, 1 or 3. */
  readonly channels: number;
  /** The filters that were applied, oldest first. */
  readonly filters: string;
  /** The colour space of the samples, that of the first of the `photos`; null (unknown) without `photos`. */
  readonly colour: Colour | null;
  /** Red, green, blue and alpha of each pixel, as for `ImageData`. The samples are not converted to sRGB. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** The number of samples that the file needs for each pixel: 1 to 4. */
  readonly count: number;
  /** The colour space as bytes, for the file; empty for sRGB. */
  readonly mark: Uint8Array<ArrayBuffer>;
  /** Whether the server was verified to have done what the image says. Only the key that encrypted the photo can verify it. */
  readonly checked: boolean;
}

/** An opened picture. */
export interface Picture extends OpenedPicture {
  /** The picture as a file. */
  readonly png: Blob;
}

/** A picture that a server filtered, and the two encrypted files that were sent. */
export interface Filtered extends Picture {
  readonly upload: Blob;
  readonly reply: Blob;
}

/** How a photo is scrambled, and written as a file. */
export interface ScrambleOptions extends Lengthy<'decode' | 'scramble'> {
  /**
   * What is split into blocks: the colours (by default), or luma and chroma side by side, the latter also at half size. A PNG
   * file restores `colour` exactly, and `grey` within two units per sample, because the conversion rounds.
   */
  readonly form?: 'colour' | 'grey' | 'grey-420' | undefined;
  /** The side of a block in pixels, 4 to 64. By default 16 for `colour` and 8 for `grey`. */
  readonly block?: number | undefined;
  /** Scrambles every picture alike. Such pictures give each other away: four of them can be reassembled in seconds. */
  readonly fixedKey?: boolean | undefined;
  /** `image/jpeg` by default. `image/png` keeps every sample of the scrambled picture. */
  readonly type?: 'image/jpeg' | 'image/png' | undefined;
  /** JPEG quality, 1 to 100; 85 by default. */
  readonly quality?: number | undefined;
  /** JPEG's chroma subsampling; `444` by default. */
  readonly subsampling?: '444' | '422' | '420' | undefined;
  /** The side of a grey square, in pixels, to scramble instead of the whole photo: pictures to learn from have one size. */
  readonly square?: number | undefined;
}

/** A scrambled picture. It hides the photo from a casual look, but no more. */
export interface Scrambled {
  /** The picture file, which contains the label. */
  readonly file: Blob;
  /** The line of text that the owner needs, besides the key, if a site has removed it from the file. */
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly blocks: number;
  /**
   * How much our own attacks reveal of such a picture: most of it, parts of it, or patches here and there. See
   * docs/etc-attacks.md.
   */
  readonly resistance: 'falls' | 'shows' | 'holds';
  /** Notices as those of a {@link Photo}. */
  readonly notices: readonly string[];
  /** For a `square`: the picture before scrambling, as a PNG file. */
  readonly clear?: Blob;
}

/** The parameter sets of encrypted vectors (CKKS). Those whose names begin with "bootstrap" have levels for bootstrapping. */
export type CkksSet =
  | 'small'
  | 'leveled-14'
  | 'leveled-15'
  | 'leveled-16'
  | 'network-15'
  | 'bootstrap-15'
  | 'bootstrap-16';

/** The use of an evaluation key. `level` is the highest level of vectors; by default, the highest for encryption. */
export type CkksPurpose =
  | { readonly purpose: 'products' | 'conjugation'; readonly level?: number | undefined }
  /** A rotation by `steps` to the left. */
  | { readonly purpose: 'rotation'; readonly steps: number; readonly level?: number | undefined }
  | { readonly purpose: 'automorphism'; readonly element: number; readonly level?: number | undefined }
  /** All keys for bootstrapping vectors of `slots` numbers. */
  | { readonly purpose: 'bootstrapping'; readonly slots: number };

/** Evaluation keys: the pieces of one file, made during a single iteration. Leaving the loop ends the work. */
export interface EvaluationKeys extends AsyncIterable<Blob> {
  /** The length of the file in bytes. */
  readonly bytes: number;
}

/**
 * Encrypted vectors of real numbers (CKKS). Decrypted numbers are close to the originals, and the difference reveals something
 * about the secret key. If a vector was forged, its numbers can reveal the whole key. So never give decrypted numbers, or
 * anything that depends on them, to the party that computed with the ciphertexts, and do not publish them, rounded or not.
 */
export interface Ckks {
  /** Makes a key and uses it. With `publicKey` others can encrypt for it; it is not available later. */
  newKey(
    set: CkksSet,
    options?: { readonly name?: string | undefined } & Cancellable,
  ): Promise<KeyFacts & { readonly publicKey: Blob }>;
  /** Encrypts with the key in use. `slots` is a power of two; `level` is the possible number of successive products. */
  encrypt(
    values: Iterable<number> | ArrayLike<number>,
    options?: { readonly slots?: number | undefined; readonly level?: number | undefined } & Cancellable,
  ): Promise<Blob>;
  /** Decrypts a vector with the key in use. Returns one number for each slot. */
  decrypt(file: FileLike, options?: Cancellable): Promise<Float64Array>;
  /** The keys with which a server can compute. `signal` also stops making them. */
  evaluationKeys(wanted: readonly CkksPurpose[], options?: Cancellable): Promise<EvaluationKeys>;
  /** Reads the public part of a network that classifies encrypted photos, as its server provides it. */
  network(spec: FileLike, options?: Cancellable): Promise<Network>;
}

/**
 * The owner's half of a network that classifies encrypted photos. It works with the key in use, which must have the same `set`.
 * The server receives `evaluationKeys` and the output of `encrypt`, and learns neither the photo nor the label.
 */
export interface Network {
  readonly set: CkksSet;
  readonly labels: readonly string[];
  evaluationKeys(options?: Cancellable): Promise<EvaluationKeys>;
  encrypt(photo: Photo, options?: Cancellable): Promise<Blob>;
  /**
   * Opens the server's answer. Fails with `vectors_differ` or `bad_answer` if an honest server cannot have computed it.
   * Never publish the label: a dishonest server learns from it.
   */
  open(
    file: FileLike,
    options?: { readonly scores?: false | undefined } & Cancellable,
  ): Promise<{ readonly label: string }>;
  /** With `scores`, also returns all labels, the likeliest first, with probabilities in hundredths. Never publish them. */
  open(
    file: FileLike,
    options: { readonly scores: boolean } & Cancellable,
  ): Promise<{
    readonly label: string;
    readonly found: readonly { readonly label: string; readonly probability: number }[];
  }>;
}

/** A photo that was read. Its samples are in a worker's memory until it is freed. */
export class Photo {
  private constructor();
  /** The photo's id in the workers. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** Colour planes, 1 or 3. */
  readonly channels: number;
  /**
   * Notices about changes and other facts found while reading: `reduced_to_8_bit`, `alpha_kept_here`, `first_frame_only`,
   * `still_image_only`, `end_missing`, `stray_data`, `decoded_by_browser`, `converted_to_srgb`, `colours_clipped`, `hdr_reduced`,
   * `hdr_in_8_bit`, `profile_unusable`, `cmyk`, `checksum_wrong`, `beyond_range`, `other_pictures`.
   */
  readonly notices: readonly string[];
  /** The colour space of the samples: sRGB, or the one that the file specifies. The result has the same. */
  readonly colour: Colour;
  /** Red, green, blue and alpha of each pixel, as for `ImageData`. The samples are not converted to sRGB. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Frees the photo's memory. Calling it twice is allowed. */
  free(): void;
  [Symbol.dispose](): void;
}

/** The parameters of `addEventListener`, in browsers and in Node. */
type Listen = Parameters<EventTarget['addEventListener']>;

/** The events of a {@link Safelight}. */
export interface SafelightEventMap {
  /** `key`, `keys`, `storage`, `protection` or `locked` has changed, here or in another page of the site. */
  keys: Event;
}

export interface OpenOptions extends Cancellable {
  /**
   * Whether this browser keeps the keys; Node never does. With `true` they are stored unprotected until
   * {@link Safelight.protectKeys} is called: a copy of the browser's profile opens them, even after they were deleted. With
   * `'protected'`, no key is stored before that call.
   */
  readonly remember?: boolean | 'protected' | undefined;
  /** The site whose default key is used, if several sites share the ring. */
  readonly site?: string | undefined;
  /** Whether the workers use idle time to prepare the next encryption, which then is faster. */
  readonly ahead?: boolean | undefined;
}

/** How to protect stored keys: exactly one of these. */
export type Protect =
  | { readonly passphrase: string; readonly passkey?: undefined; readonly unprotected?: undefined }
  /** A passkey, which the browser creates; a text is its name there. Only in pages, and in frames that are allowed to. */
  | { readonly passkey: true | string; readonly passphrase?: undefined; readonly unprotected?: undefined }
  /** A copy of the browser's profile opens the keys. */
  | { readonly unprotected: true; readonly passphrase?: undefined; readonly passkey?: undefined };

/**
 * The user's side of Safelight: keys, encryption, decryption. All work is done in workers; `close()` ends them.
 *
 * Every failure is a {@link SafelightError}.
 */
export class Safelight extends EventTarget {
  private constructor();
  /** Starts the workers with the best build of the WebAssembly module that works here. */
  static open(options?: OpenOptions): Promise<Safelight>;

  /** The version of the WebAssembly module. */
  readonly version: string;
  /** The build of the module in use, and its arithmetic. */
  readonly build: { readonly variant: string; readonly arithmetic: string };
  /** The address of that build's file. */
  readonly url: string;
  /** All filters with their parameters. */
  readonly filters: readonly FilterFacts[];
  /** The key in use. */
  readonly key: KeyFacts | null;
  /** The key in use for scrambled pictures. */
  readonly etcKey: KeyFacts | null;
  /** The key in use for encrypted vectors. */
  readonly ckksKey: KeyFacts | null;
  /** All keys of the ring. */
  readonly keys: readonly KeyFacts[];
  /** `kept`: this browser keeps the keys; `refused`: it does not; `memory`: it was not asked to, or this is Node. */
  readonly storage: 'kept' | 'refused' | 'memory';
  /** How the stored keys are protected; null if keys are in memory only, or if no protection was chosen yet. */
  readonly protection: 'passphrase' | 'passkey' | 'none' | null;
  /** Whether stored keys cannot be used before {@link Safelight.unlockKeys}. New keys are in memory only until then. */
  readonly locked: boolean;

  /** Ends all workers, and with them all that they know. Running calls fail with `cancelled`, later ones with `closed`. */
  close(): void;
  [Symbol.dispose](): void;

  /** Makes a key of 2048, 3072 (by default) or 4096 bits and uses it. */
  newKey(bits?: 2048 | 3072 | 4096, options?: { readonly name?: string | undefined } & Lengthy<'key'>): Promise<KeyFacts>;
  /** Makes a key for scrambled pictures and uses it. */
  newEtcKey(options?: { readonly name?: string | undefined } & Cancellable): Promise<KeyFacts>;
  /** Uses the key of a key file, of any kind. `passphrase` is for protected files. */
  openKey(
    file: FileLike,
    options?: { readonly passphrase?: string | undefined; readonly name?: string | undefined } & Cancellable,
  ): Promise<KeyFacts>;
  /** The file of the key in use (by default `paillier`): an age file under a passphrase, or, without one, the bare key. */
  exportKey(
    options?: { readonly passphrase?: string | null | undefined; readonly kind?: KeyKind | undefined } & Cancellable,
  ): Promise<Blob>;
  /** Uses another key of the ring as the key of its kind. */
  useKey(fingerprint: string, options?: Cancellable): Promise<KeyFacts>;
  /**
   * Protects the stored keys of all kinds from now on, and stores those that are in memory only. Also changes or removes the
   * protection, which requires an unlocked ring. A passphrase takes a second and 128 MiB in a worker. Call this before the
   * first key is made: old copies of a key that was stored unprotected may remain in the browser's files.
   */
  protectKeys(how: Protect & Cancellable): Promise<void>;
  /**
   * Unlocks the stored keys: by `passphrase`, or, without one, by the passkey, which requires a click by the user. The site's
   * default keys are then in use. Fails with `wrong_passphrase`, `wrong_passkey`, `no_passkey`.
   */
  unlockKeys(options?: { readonly passphrase?: string | undefined } & Cancellable): Promise<void>;
  /** Removes protected keys from memory, here and in the site's other pages. Running work is cancelled. */
  lockKeys(): Promise<void>;
  /** Deletes all keys and their protection. For users who have lost the passphrase or the passkey. */
  clearKeys(): Promise<void>;
  /** Whether this browser can protect keys by a passkey (WebAuthn with PRF) in the present page or frame. */
  static hasPasskeys(): Promise<boolean>;
  /** Removes the key of a kind (by default `paillier`) from the workers' memory; the ring keeps it. */
  dropKey(kind?: KeyKind): Promise<void>;
  renameKey(fingerprint: string, name: string): Promise<void>;
  /** Deletes a key for good, here and in the site's other pages. */
  deleteKey(fingerprint: string): Promise<void>;
  /** Checks again which keys are stored, because the user may have cleared them. */
  refreshKeys(): Promise<void>;

  /** The kind of a file. `image` is an encrypted photo, and `photo` is every file that is not in Safelight's format. */
  kind(
    file: FileLike,
    options?: Cancellable,
  ): Promise<'photo' | 'image' | 'secret_key' | 'etc_key' | 'ckks_secret_key' | 'protected_key' | 'public_key' | (string & {})>;
  /**
   * Reads a photo. Free it when it is no longer needed, or declare it with `using`. With `colour: 'srgb'`, colours are
   * converted; by default, samples are not converted, and the result has the photo's colour space.
   */
  read(file: FileLike, options?: { readonly colour?: 'keep' | 'srgb' | undefined } & Lengthy<'decode'>): Promise<Photo>;
  /**
   * Gives two photos the same colour space, so that they can be blended. If theirs differ, both are converted to sRGB.
   * They must have the same size.
   */
  match(first: Photo, second: Photo, options?: Cancellable): Promise<void>;
  /**
   * Encrypts a photo for one filter, or two photos for a filter of two. The result is the input of a server. Nothing about
   * files is kept, so their colours are converted to sRGB.
   */
  encrypt(input: PhotoLike | readonly [PhotoLike, PhotoLike], options: EncryptOptions): Promise<Blob>;
  /** Does everything: encrypts, lets a server filter, opens the result and checks it against the photo. */
  filter(input: PhotoLike | readonly [PhotoLike, PhotoLike], options: FilterOptions): Promise<Filtered>;
  /** Opens an encrypted image with the key in use. */
  decrypt(file: FileLike, options: DecryptOptions & { readonly png: false }): Promise<OpenedPicture>;
  decrypt(file: FileLike, options?: DecryptOptions): Promise<Picture>;
  /** The PNG file of a picture. The time to make it depends on what the picture shows. */
  pngOf(picture: OpenedPicture, options?: Cancellable): Promise<Blob>;
  /** Scrambles a photo with `etcKey` to a picture in sRGB, as a JPEG or PNG file. It is obfuscated, not encrypted. */
  scramble(input: PhotoLike, options?: ScrambleOptions): Promise<Scrambled>;
  /** Unscrambles a picture. `label` is for files that have lost it. */
  unscramble(
    file: FileLike,
    options?: { readonly label?: string | undefined } & Cancellable,
  ): Promise<Pick<Picture, 'width' | 'height' | 'channels' | 'rgba' | 'png'> & Pick<Scrambled, 'notices'>>;
  /** The API for encrypted vectors. Their WebAssembly module is fetched on first use. */
  ckks(): Promise<Ckks>;
  /** Pauses encryption and decryption after the current rows, until `resume`. */
  pause(): void;
  resume(): void;

  addEventListener<K extends keyof SafelightEventMap>(
    type: K,
    listener: (this: Safelight, event: SafelightEventMap[K]) => void,
    options?: Listen[2],
  ): void;
  addEventListener(type: string, listener: Listen[1], options?: Listen[2]): void;
}

/** An error. `message` tells people what to do; programs use `code`. */
export class SafelightError extends Error {
  constructor(code: SafelightErrorCode, message: string);
  readonly code: SafelightErrorCode;
}

/** Codes never change their meaning. A server may send others. */
export type SafelightErrorCode =
  /** The work was cancelled by its `signal` or by `close()`. */
  | 'cancelled'
  /** This `Safelight` was closed. */
  | 'closed'
  /** An argument has a value that is not allowed. */
  | 'bad_argument'
  /** A file could not be read. */
  | 'io'
  /** The photo's format cannot be read here. */
  | 'unsupported_image'
  | 'damaged_image'
  /** The photo has more pixels than we or the server allow. */
  | 'image_too_large'
  /** Two photos to combine differ in size. */
  | 'images_differ'
  /** There is no key in use, or the image has another key. */
  | 'foreign_key'
  | 'wrong_passphrase'
  /** The passkey is not the one that protects the stored keys. */
  | 'wrong_passkey'
  /** No passkey was used: the user declined, the frame is not allowed to, or the passkey cannot protect keys. */
  | 'no_passkey'
  /** The stored keys have to be unlocked first. */
  | 'locked'
  /** Opening the protected key would take more memory or time than is allowed. */
  | 'too_costly'
  | 'bad_secret_key'
  | 'bad_modulus'
  /** The bytes are not a Safelight file, or one of a newer version, or one of another kind. */
  | 'not_safelight'
  | 'unsupported_version'
  | 'wrong_kind'
  /** The file ends too early, has extra data at its end, or was changed on its way. */
  | 'truncated'
  | 'trailing_data'
  | 'damaged'
  | 'bad_header'
  | 'ciphertext_out_of_range'
  | 'ciphertext_not_unit'
  | 'plaintext_out_of_range'
  /** The server did not do what it says. Do not rely on the result. */
  | 'wrong_result'
  /** The image does not say that this key encrypted its photo, so nothing about it can be verified. */
  | 'not_verifiable'
  | 'unknown_filter'
  /** The filter's parameters are invalid. */
  | 'bad_filter'
  /** The image was encrypted for filters with a smaller reach or smaller weights. */
  | 'halo_too_small'
  | 'slot_overflow'
  /** Encrypted vectors (CKKS): unknown parameters, no level left, a missing key, or vectors that do not match. */
  | 'unknown_parameters'
  | 'wrong_parameters'
  | 'residue_out_of_range'
  | 'level_exhausted'
  | 'missing_key'
  | 'vectors_differ'
  /** The image has more bytes than the server takes. */
  | 'too_large'
  | 'too_busy'
  /** This client has used up its share of the server. */
  | 'quota_exceeded'
  | 'time_limit'
  | 'stalled'
  | 'not_found'
  | 'method_not_allowed'
  /** The server does not serve pages of this origin, or does not answer to this name. */
  | 'foreign_origin'
  | 'foreign_host'
  /** The body is a form or compressed. */
  | 'unsupported_content'
  | 'range_not_satisfiable'
  | 'job_not_found'
  | 'job_not_finished'
  | 'model_not_found'
  /** Keys for encrypted vectors on a server: no keys with this id, or a piece at the wrong position. */
  | 'keys_not_found'
  /** The keys were damaged on the server's disk and have to be uploaded again. */
  | 'keys_damaged'
  | 'wrong_offset'
  | 'shutting_down'
  /** The page requires Trusted Types, and its content security policy does not allow the policy `safelight`. */
  | 'trusted_types'
  /** The server, or a file of this package, could not be fetched. */
  | 'unreachable'
  /** The server's answer is not what it should be. */
  | 'bad_answer'
  /** The system's random generator failed. */
  | 'no_randomness'
  /** This browser calculates incorrectly. Do not use any result. */
  | 'bad_arithmetic'
  /** A fault of Safelight itself. */
  | 'internal'
  | (string & {});
