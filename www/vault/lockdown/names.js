// The names that the vault's window keeps: the whole language, and those of the browser's interfaces that the vault uses or that
// clearly reach nothing outside. Browsers have over a thousand names, and keep adding new ones. Every name not listed here is
// removed.

/** Names kept in the window. */
const WINDOW = words(`
  AggregateError Array ArrayBuffer AsyncDisposableStack Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date
  DisposableStack Error EvalError FinalizationRegistry Float16Array Float32Array Float64Array Function Infinity Int16Array
  Int32Array Int8Array Intl Iterator JSON Map Math NaN Number Object Promise Proxy RangeError ReferenceError Reflect RegExp Set
  SharedArrayBuffer String SuppressedError Symbol SyntaxError Temporal TypeError URIError Uint16Array Uint32Array Uint8Array
  Uint8ClampedArray WeakMap WeakRef WeakSet WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval
  globalThis isFinite isNaN parseFloat parseInt undefined unescape

  window self document location top parent frames length origin name isSecureContext crossOriginIsolated credentialless
  navigator performance crypto trustedTypes console indexedDB caches
  innerWidth innerHeight outerWidth outerHeight scrollX scrollY pageXOffset pageYOffset devicePixelRatio screen visualViewport
  setTimeout clearTimeout setInterval clearInterval requestAnimationFrame cancelAnimationFrame queueMicrotask structuredClone
  reportError atob btoa fetch postMessage matchMedia getComputedStyle getSelection scroll scrollTo scrollBy focus
  createImageBitmap addEventListener removeEventListener dispatchEvent

  AbortController AbortSignal Blob BroadcastChannel CompressionStream CryptoKey CustomEvent DOMException DataTransfer
  DecompressionStream Event EventTarget File FileReader FormData Headers ImageBitmap ImageData MessageChannel MessagePort
  MutationObserver OffscreenCanvas PerformanceObserver PublicKeyCredential ReadableStream Request ResizeObserver Response
  TextDecoder TextEncoder TransformStream URL URLSearchParams Worker WritableStream
  CSS CSSStyleSheet Document DocumentFragment Element HTMLCollection HTMLElement HTMLInputElement Node NodeFilter NodeList Range
  ShadowRoot StyleSheetList Text Window
`);

/** Event handlers and event classes reach nothing outside. */
const EVENTS = /^on|Event$/;

/** Names kept in the navigator. */
const NAVIGATOR = words(`
  constructor cookieEnabled credentials hardwareConcurrency language languages locks maxTouchPoints onLine platform
  serviceWorker userAgent vendor webdriver
`);

/** Names kept in a service worker's registration: no notifications, downloads or payments, which involve addresses. */
const REGISTRATION = words('active constructor installing scope unregister update updateViaCache waiting');

/** Names removed from the document: cookies and `domain` reach other hosts of the same site. */
const NOT_OF_THE_DOCUMENT = /^(cookie|domain|requestStorageAccess.*|browsingTopics)$/;

export const keptOfWindow = (name) => Object.hasOwn(WINDOW, name) || EVENTS.test(name);
export const keptOfNavigator = (name) => Object.hasOwn(NAVIGATOR, name);
export const keptOfRegistration = (name) => Object.hasOwn(REGISTRATION, name) || EVENTS.test(name);
export const keptOfDocument = (name) => !NOT_OF_THE_DOCUMENT.test(name);

function words(text) {
  return Object.fromEntries(text.match(/\w+/g).map((word) => [word, true]));
}
