// Types of the class API: `import { Safelight } from 'safelight'`.

/// <reference lib="esnext.disposable" />

export {}; // what is not exported below is not

/** A file, or its bytes. Names are never read. */
export type FileLike = Blob | ArrayBuffer | ArrayBufferView;

/** A photo that was read, or a file with one: PNG, JPEG, WebP, and whatever else the browser can decode. */
export type PhotoLike = Photo | FileLike;

/**
 * What is read beyond an image's edge: the nearest pixel; the picture mirrored, with its edge pixels not repeated (`c b` before
 * `a b c`, as NumPy's `reflect`, OpenCV's `BORDER_REFLECT_101` and SciPy's `mirror`); or black.
 */
export type Border = 'replicate' | 'reflect' | 'zero';

/** How results outside 0 to 255 are shown: cut off, halved around grey, or without their sign. */
export type View = 'clamp' | 'signed' | 'absolute';

/**
 * A filter's parameters by name, as in {@link Safelight.filters}. `weights` of the filter `kernel` are not mirrored (a
 * correlation). The pixel itself is under the weight in column `floor(columns / 2)` and row `floor(rows / 2)`, counted from 0.
 */
export type FilterParameters = Readonly<Record<string, string | number>>;

/** What the work is at. */
export type Phase = 'key' | 'decode' | 'encrypt' | 'upload' | 'filter' | 'download' | 'decrypt' | 'scramble';

/** How far the work is. */
export interface Progress<P extends Phase = Phase> {
  readonly phase: P;
  /** Bytes when something travels, candidates for a key, steps when a photo is scrambled, otherwise rows. */
  readonly done: number;
  /** What `done` will be at the end of the phase; 0 where nobody knows. */
  readonly total: number;
}

/** For everything that can be given up. What is aborted fails with the code `cancelled`. */
export interface Cancellable {
  readonly signal?: AbortSignal | undefined;
}

/** For everything that takes long. */
export interface Lengthy<P extends Phase = Phase> extends Cancellable {
  readonly onProgress?: ((progress: Progress<P>) => void) | undefined;
}

/** What a key is for: encrypted photos, scrambled pictures (EtC), which are obfuscated and not encrypted, or encrypted vectors. */
export type KeyKind = 'paillier' | 'etc' | 'ckks';

/** One secret key of the ring, without what is secret. */
export interface KeyFacts {
  /** The key's public name, 32 hexadecimal digits; 16 for a key for scrambled pictures. */
  readonly fingerprint: string;
  readonly kind: KeyKind;
  readonly bits: number;
  /** Of a key for encrypted vectors: its parameter set. */
  readonly set?: CkksSet;
  /** What the user calls it; empty if nothing. */
  readonly name: string;
  /** When it was made or first opened here, in milliseconds since 1970. */
  readonly created: number;
  /** Whether there is a file of it. */
  readonly exported: boolean;
  /** Whether this browser keeps it; otherwise it is lost with this `Safelight`. */
  readonly stored: boolean;
  /** Whether it is stored under a passphrase or passkey. */
  readonly protected: boolean;
  /** Whether it is stored as soon as a protection is chosen, or the stored keys are unlocked. */
  readonly waits?: boolean;
  /** Whether it has ever been stored unprotected: old copies of it may then remain in the browser's files. */
  readonly exposed: boolean;
}

/** A filter of the catalogue. */
export interface FilterFacts {
  readonly name: string;
  readonly summary: string;
  /** How many photos it takes: 1, or 2 for a blend. */
  readonly inputs: number;
  readonly parameters: readonly {
    readonly name: string;
    readonly help: string;
    readonly default: string | null;
  }[];
}

/** What something is for, and how the filter treats the photo's border. */
export interface EncryptOptions extends Lengthy<'decode' | 'encrypt'> {
  /** The filter that the server will apply. It decides how much border is sent along, and how much room each pixel has. */
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
  /** The photos that the image was made of: then the server is checked against them, with `filter` and `params`. */
  readonly photos?: readonly Photo[] | undefined;
  readonly filter?: string | undefined;
  readonly params?: FilterParameters | undefined;
  /** Without `photos`: the filter that must have been applied, such as `gaussian sigma=2`, or several in their order. */
  readonly expect?: string | readonly string[] | undefined;
  /**
   * Without `photos`: `required` (the default) opens only images whose photos this key encrypted, and verifies what was done
   * to them; `where-possible` also opens photos of others; `none` verifies nothing.
   */
  readonly check?: 'required' | 'where-possible' | 'none' | undefined;
  /** Whether to make the PNG file, too; it can be made later by `pngOf`. `true` by default. */
  readonly png?: boolean | undefined;
}

export interface FilterOptions extends Lengthy {
  /** A `Server` of `safelight/server`, or something else that takes ciphertext to one. */
  readonly server: FilterServer;
  readonly filter: string;
  readonly params?: FilterParameters | undefined;
  readonly border?: Border | undefined;
  readonly view?: View | undefined;
  readonly maxBytes?: number | undefined;
}

/** What {@link Safelight.filter} needs of a server. */
export interface FilterServer {
  /** What the server said about itself, if it did; its limits are kept. */
  readonly info?: { readonly limits?: ServerLimits | undefined } | null | undefined;
  look?(options: Cancellable): Promise<FilterServer['info']>;
  filter(
    image: Blob,
    options: { filter: string; params?: FilterParameters | undefined } & Lengthy<'upload' | 'filter' | 'download'>,
  ): Promise<Blob>;
}

export interface ServerLimits {
  /** Bytes of one encrypted photo. */
  readonly max_bytes?: number;
  readonly max_pixels?: number;
}

/** What samples mean as colours: sRGB, or by an ICC profile, by PNG's code points (cICP), by its gamma and chromaticities. */
export type Colour = 'srgb' | 'icc' | 'cicp' | 'gamma';

/** An opened picture, without a file. */
export interface OpenedPicture {
  readonly width: number;
  readonly height: number;
  /** Colour planes, 1 or 3. */
  readonly channels: number;
  /** The filters that were applied, oldest first. */
  readonly filters: string;
  /** What the samples mean, as in the first of the `photos`; null where none was given, and nothing is known of it. */
  readonly colour: Colour | null;
  /** Red, green, blue and alpha of each pixel, as `ImageData` takes them; the samples as they are, whatever they mean. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** How many of its samples the file needs for each pixel: 1 to 4. */
  readonly count: number;
  /** The same as bytes, for the file; none for sRGB. */
  readonly mark: Uint8Array<ArrayBuffer>;
  /** Whether it was checked that the server did what the image says; only the photo's own key can. */
  readonly checked: boolean;
}

/** An opened picture. */
export interface Picture extends OpenedPicture {
  /** The picture as a file. */
  readonly png: Blob;
}

/** A picture that a server filtered, and the two encrypted files that travelled. */
export interface Filtered extends Picture {
  readonly upload: Blob;
  readonly reply: Blob;
}

/** How a photo is scrambled, and written as a file. */
export interface ScrambleOptions extends Lengthy<'decode' | 'scramble'> {
  /**
   * What is split into blocks: the colours (by default), or luma and chroma side by side, the latter also at half size. From a
   * PNG file `colour` comes back exactly; `grey` comes back within two units per sample, because the conversion rounds.
   */
  readonly form?: 'colour' | 'grey' | 'grey-420' | undefined;
  /** The side of a block in pixels, 4 to 64: 16 for `colour`, 8 for `grey` unless given. */
  readonly block?: number | undefined;
  /** Scramble every picture alike. Such pictures give each other away: ten of them are put together again in seconds. */
  readonly fixedKey?: boolean | undefined;
  /** `image/jpeg` by default. `image/png` keeps every sample of the scrambled picture. */
  readonly type?: 'image/jpeg' | 'image/png' | undefined;
  /** JPEG quality, 1 to 100; 85 by default. */
  readonly quality?: number | undefined;
  /** JPEG's chroma subsampling; `444` by default. */
  readonly subsampling?: '444' | '422' | '420' | undefined;
  /** Not the whole photo but its middle, in grey, so many pixels wide and high: pictures to learn from have one size. */
  readonly square?: number | undefined;
}

/** A scrambled picture. It hides the photo from a casual look, no more. */
export interface Scrambled {
  /** The picture, with its label in it. */
  readonly file: Blob;
  /** What its owner needs beside the key, where a site drops it from the file: one line of text. */
  readonly label: string;
  readonly width: number;
  readonly height: number;
  readonly blocks: number;
  /**
   * What our own attacks see of such a picture: most of it, parts of it, or patches here and there. See
   * docs/etc-attacks.md.
   */
  readonly resistance: 'falls' | 'shows' | 'holds';
  /** As those of a {@link Photo}. */
  readonly notices: readonly string[];
  /** Of a `square`: the picture before it was scrambled, as a PNG file. */
  readonly clear?: Blob;
}

/** The parameter sets of encrypted vectors (CKKS). Those whose names begin with "bootstrap" have levels for it. */
export type CkksSet = 'small' | 'leveled-14' | 'leveled-15' | 'leveled-16' | 'bootstrap-15' | 'bootstrap-16';

/** What an evaluation key is for. `level`: for vectors up to it; by default the highest that vectors are encrypted at. */
export type CkksPurpose =
  | { readonly purpose: 'products' | 'conjugation'; readonly level?: number | undefined }
  /** So many steps to the left. */
  | { readonly purpose: 'rotation'; readonly steps: number; readonly level?: number | undefined }
  | { readonly purpose: 'automorphism'; readonly element: number; readonly level?: number | undefined }
  /** All keys for bootstrapping vectors of so many slots. */
  | { readonly purpose: 'bootstrapping'; readonly slots: number };

/** Evaluation keys: the pieces of one file, made while they are taken, once. Leaving the loop ends the work. */
export interface EvaluationKeys extends AsyncIterable<Blob> {
  /** The length of the file in bytes. */
  readonly bytes: number;
}

/**
 * Encrypted vectors of real numbers (CKKS). Numbers come back close to what they were, and the difference tells something
 * of the secret key. A vector that was made up can hold all of it. So never give decrypted numbers, or anything that depends on
 * them, to whoever computed with the ciphertexts, and do not publish them, rounded or not.
 */
export interface Ckks {
  /** Makes a key and uses it. With `publicKey` others can encrypt for it; it cannot be had later. */
  newKey(
    set: CkksSet,
    options?: { readonly name?: string | undefined } & Cancellable,
  ): Promise<KeyFacts & { readonly publicKey: Blob }>;
  /** Encrypts with the key in use. `slots`: a power of two; `level`: how many products can follow one another. */
  encrypt(
    values: Iterable<number> | ArrayLike<number>,
    options?: { readonly slots?: number | undefined; readonly level?: number | undefined } & Cancellable,
  ): Promise<Blob>;
  /** Opens a vector with the key in use: as many numbers as slots. */
  decrypt(file: FileLike, options?: Cancellable): Promise<Float64Array>;
  /** The keys with which a server can compute. `signal` also ends their making. */
  evaluationKeys(wanted: readonly CkksPurpose[], options?: Cancellable): Promise<EvaluationKeys>;
  /** The public part of a network that classifies encrypted photos, as its server gives it. */
  network(front: FileLike, options?: Cancellable): Promise<Network>;
}

/**
 * The owner's half of a network that classifies encrypted photos. It works with the key in use, which must be of its set. The
 * server gets `evaluationKeys` and what `encrypt` gives, and learns neither the photo nor the label.
 */
export interface Network {
  readonly set: CkksSet;
  readonly labels: readonly string[];
  evaluationKeys(options?: Cancellable): Promise<EvaluationKeys>;
  encrypt(photo: Photo, options?: Cancellable): Promise<Blob>;
  /**
   * Opens the server's answer, if it is one that an honest server can have computed: else it fails with `vectors_differ` or
   * `bad_answer`. Never publish the label: a dishonest server learns from it.
   */
  open(
    file: FileLike,
    options?: { readonly scores?: false | undefined } & Cancellable,
  ): Promise<{ readonly label: string }>;
  /** With `scores` also all labels, likeliest first, with probabilities in hundredths. Never publish them. */
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
  /** Its name among the workers. */
  readonly id: string;
  readonly width: number;
  readonly height: number;
  /** Colour planes, 1 or 3. */
  readonly channels: number;
  /**
   * What was changed or noticed while reading: `reduced_to_8_bit`, `alpha_kept_here`, `first_frame_only`, `still_image_only`,
   * `end_missing`, `stray_data`, `decoded_by_browser`, `converted_to_srgb`, `colours_clipped`, `hdr_reduced`, `hdr_in_8_bit`,
   * `profile_unusable`, `cmyk`, `checksum_wrong`, `beyond_range`, `other_pictures`.
   */
  readonly notices: readonly string[];
  /** What the samples mean: sRGB, or what the file says of its colours instead. The result says the same. */
  readonly colour: Colour;
  /** Red, green, blue and alpha of each pixel, as `ImageData` takes them; the samples as they are, whatever they mean. */
  readonly rgba: Uint8ClampedArray<ArrayBuffer>;
  /** Forgets the photo. It may be freed twice. */
  free(): void;
  [Symbol.dispose](): void;
}

/** What `addEventListener` takes, in browsers as in Node. */
type Listen = Parameters<EventTarget['addEventListener']>;

/** What `addEventListener` of a {@link Safelight} hears. */
export interface SafelightEventMap {
  /** `key`, `keys`, `storage`, `protection` or `locked` has changed, here or in another page of the site. */
  keys: Event;
}

export interface OpenOptions extends Cancellable {
  /**
   * Whether this browser keeps the keys; Node never does. With `true` they are stored unprotected until
   * {@link Safelight.protectKeys} is called: a copy of the browser's profile opens them, even after they were deleted. With
   * `'protected'` no key is stored before that call.
   */
  readonly remember?: boolean | 'protected' | undefined;
  /** Whose default key is used, where several sites share the ring. */
  readonly site?: string | undefined;
  /** Whether the workers use idle time for what the next encryption needs: it is faster then, but they work unasked. */
  readonly ahead?: boolean | undefined;
}

/** How stored keys are to be protected; exactly one of them. */
export type Protect =
  | { readonly passphrase: string; readonly passkey?: undefined; readonly unprotected?: undefined }
  /** A passkey, which the browser makes; as text, what it is called there. In pages only, and in frames only where allowed. */
  | { readonly passkey: true | string; readonly passphrase?: undefined; readonly unprotected?: undefined }
  /** A copy of the browser's profile opens the keys. */
  | { readonly unprotected: true; readonly passphrase?: undefined; readonly passkey?: undefined };

/**
 * The user's end of Safelight: keys, encryption, decryption. All work is done in workers; `close()` ends them.
 *
 * Every failure is a {@link SafelightError}.
 */
export class Safelight extends EventTarget {
  private constructor();
  /** Starts the workers with the best build of the WebAssembly module that works here. */
  static open(options?: OpenOptions): Promise<Safelight>;

  /** The version of the WebAssembly module. */
  readonly version: string;
  /** Which build of it works here, and what it calculates with. */
  readonly build: { readonly variant: string; readonly arithmetic: string };
  /** Where that build's file came from. */
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
  /** How the stored keys are protected; null where keys are in memory only, or nobody has chosen yet. */
  readonly protection: 'passphrase' | 'passkey' | 'none' | null;
  /** Whether stored keys cannot be used before {@link Safelight.unlockKeys}. New keys are in memory only until then. */
  readonly locked: boolean;

  /** Ends all workers, and with them all that they know. What is under way is `cancelled`; later calls fail: `closed`. */
  close(): void;
  [Symbol.dispose](): void;

  /** Makes a key of 2048, 3072 (by default) or 4096 bits and uses it. */
  newKey(bits?: 2048 | 3072 | 4096, options?: { readonly name?: string | undefined } & Lengthy<'key'>): Promise<KeyFacts>;
  /** Makes a key for scrambled pictures and uses it. */
  newEtcKey(options?: { readonly name?: string | undefined } & Cancellable): Promise<KeyFacts>;
  /** Uses the key of a key file, of any kind. `passphrase` is for protected ones. */
  openKey(
    file: FileLike,
    options?: { readonly passphrase?: string | undefined; readonly name?: string | undefined } & Cancellable,
  ): Promise<KeyFacts>;
  /** The file of the key in use (`paillier` unless given): an age file under a passphrase, or, without one, the bare key. */
  exportKey(
    options?: { readonly passphrase?: string | null | undefined; readonly kind?: KeyKind | undefined } & Cancellable,
  ): Promise<Blob>;
  /** Uses another key of the ring, for what its kind is for. */
  useKey(fingerprint: string, options?: Cancellable): Promise<KeyFacts>;
  /**
   * Protects the stored keys of all kinds from now on, and stores those that are in memory only. Also changes or removes the
   * protection, which takes an unlocked ring. Takes a second and 128 MiB in a worker for a passphrase. Call it before the
   * first key is made: old copies of a key that was stored unprotected may remain in the browser's files.
   */
  protectKeys(how: Protect & Cancellable): Promise<void>;
  /**
   * Unlocks the stored keys: by `passphrase`, or, without one, by the passkey, which takes a click of the user's. The site's
   * default keys are then in use. Fails with `wrong_passphrase`, `wrong_passkey`, `no_passkey`.
   */
  unlockKeys(options?: { readonly passphrase?: string | undefined } & Cancellable): Promise<void>;
  /** Takes protected keys out of memory, here and in the site's other pages. Work under way is cancelled. */
  lockKeys(): Promise<void>;
  /** Deletes all keys and their protection. For users who have lost the passphrase or the passkey. */
  clearKeys(): Promise<void>;
  /** Whether this browser can protect keys by a passkey (WebAuthn with PRF), where the script runs. */
  static hasPasskeys(): Promise<boolean>;
  /** Takes the key of a kind (`paillier` unless given) out of the workers' memory; the ring keeps it. */
  dropKey(kind?: KeyKind): Promise<void>;
  renameKey(fingerprint: string, name: string): Promise<void>;
  /** Deletes a key for good, here and in the site's other pages. */
  deleteKey(fingerprint: string): Promise<void>;
  /** Looks again which keys are stored: the user may have cleared them. */
  refreshKeys(): Promise<void>;

  /** What a file is; `image` is an encrypted photo, and `photo` is said of everything that is not ours. */
  kind(
    file: FileLike,
    options?: Cancellable,
  ): Promise<'photo' | 'image' | 'secret_key' | 'etc_key' | 'ckks_secret_key' | 'protected_key' | 'public_key' | (string & {})>;
  /**
   * Reads a photo. Free it when it is no longer needed, or declare it with `using`. With `colour: 'srgb'` colours are
   * converted; by default samples stay as they are, and the result is marked as the photo is.
   */
  read(file: FileLike, options?: { readonly colour?: 'keep' | 'srgb' | undefined } & Lengthy<'decode'>): Promise<Photo>;
  /**
   * Makes two photos that are to be blended alike in their colours: sRGB if these mean different things. They must have the
   * same size.
   */
  match(first: Photo, second: Photo, options?: Cancellable): Promise<void>;
  /**
   * Encrypts a photo for one filter, or two photos for a filter of two. The result is what a server takes. Of files nothing is
   * kept, so their colours are converted to sRGB.
   */
  encrypt(input: PhotoLike | readonly [PhotoLike, PhotoLike], options: EncryptOptions): Promise<Blob>;
  /** The whole way: encrypts, has a server filter, opens the result and checks it against the photo. */
  filter(input: PhotoLike | readonly [PhotoLike, PhotoLike], options: FilterOptions): Promise<Filtered>;
  /** Opens an encrypted image with the key in use. */
  decrypt(file: FileLike, options: DecryptOptions & { readonly png: false }): Promise<OpenedPicture>;
  decrypt(file: FileLike, options?: DecryptOptions): Promise<Picture>;
  /** The PNG file of a picture. How long it takes depends on what the picture shows. */
  pngOf(picture: OpenedPicture, options?: Cancellable): Promise<Blob>;
  /** Scrambles a photo with `etcKey`, to a picture in sRGB that stays a JPEG or PNG file. It is obfuscated, not encrypted. */
  scramble(input: PhotoLike, options?: ScrambleOptions): Promise<Scrambled>;
  /** Puts a scrambled picture together again. `label` is for files that have lost it. */
  unscramble(
    file: FileLike,
    options?: { readonly label?: string | undefined } & Cancellable,
  ): Promise<Pick<Picture, 'width' | 'height' | 'channels' | 'rgba' | 'png'> & Pick<Scrambled, 'notices'>>;
  /** What is to be had of encrypted vectors. Their WebAssembly module is fetched when it is first used. */
  ckks(): Promise<Ckks>;
  /** Encryption and decryption stop after the rows that are under way, until `resume`. */
  pause(): void;
  resume(): void;

  addEventListener<K extends keyof SafelightEventMap>(
    type: K,
    listener: (this: Safelight, event: SafelightEventMap[K]) => void,
    options?: Listen[2],
  ): void;
  addEventListener(type: string, listener: Listen[1], options?: Listen[2]): void;
}

/** Something went wrong. `message` tells people what to do; programs look at `code`. */
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
  /** The photo's format is none that can be read here. */
  | 'unsupported_image'
  | 'damaged_image'
  /** The photo has more pixels than we or the server allow. */
  | 'image_too_large'
  /** Two photos that shall be combined differ in size. */
  | 'images_differ'
  /** There is no key in use, or it is another one than the image's. */
  | 'foreign_key'
  | 'wrong_passphrase'
  /** The passkey is not the one that protects the stored keys. */
  | 'wrong_passkey'
  /** No passkey was used: the user did not want to, the frame is not allowed to, or the passkey cannot protect keys. */
  | 'no_passkey'
  /** The stored keys have to be unlocked first. */
  | 'locked'
  /** Opening the protected key would take more memory or time than is allowed. */
  | 'too_costly'
  | 'bad_secret_key'
  | 'bad_modulus'
  /** The bytes are no file of ours, one of a newer version, or one of another kind. */
  | 'not_safelight'
  | 'unsupported_version'
  | 'wrong_kind'
  /** The file ends too early, goes on too long, or was changed on its way. */
  | 'truncated'
  | 'trailing_data'
  | 'damaged'
  | 'bad_header'
  | 'ciphertext_out_of_range'
  | 'ciphertext_not_unit'
  | 'plaintext_out_of_range'
  /** The server did something else than it says. Do not rely on the result. */
  | 'wrong_result'
  /** The image does not say that this key encrypted its photo, so nothing about it can be verified. */
  | 'not_verifiable'
  | 'unknown_filter'
  /** The filter's parameters are invalid. */
  | 'bad_filter'
  /** The image was encrypted for filters that reach less far, or weigh less. */
  | 'halo_too_small'
  | 'slot_overflow'
  /** Encrypted vectors (CKKS): no such parameters, no level left, no key for it, vectors that do not fit together. */
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
  /** The server does not serve pages of this origin, or is not reached by this name. */
  | 'foreign_origin'
  | 'foreign_host'
  /** The body is a form or compressed. */
  | 'unsupported_content'
  | 'range_not_satisfiable'
  | 'job_not_found'
  | 'job_not_finished'
  | 'model_not_found'
  /** Keys for encrypted vectors on a server: none of this id, or a piece at the wrong place. */
  | 'keys_not_found'
  /** The keys were damaged on the server's disk and have to be uploaded again. */
  | 'keys_damaged'
  | 'wrong_offset'
  | 'shutting_down'
  /** The page requires Trusted Types, and its content security policy does not allow the policy `safelight`. */
  | 'trusted_types'
  /** The server, or a file of this package, could not be fetched. */
  | 'unreachable'
  /** The server answered with something else than it should. */
  | 'bad_answer'
  /** The system's random generator failed. */
  | 'no_randomness'
  /** This browser calculates wrongly: nothing may be used. */
  | 'bad_arithmetic'
  /** A fault of Safelight itself. */
  | 'internal'
  | (string & {});
