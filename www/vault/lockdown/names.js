// What the vault's window keeps: all of the language, and of the browser what the vault uses, or what can be seen to reach nothing.
// Browsers have over a thousand names, and get new ones all the time: what is not listed here is removed, whatever it is.

/** Of the window. */
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

/** Handlers and kinds of events reach nothing. */
const EVENTS = /^on|Event$/;

/** Of the navigator. */
const NAVIGATOR = words(`
  constructor cookieEnabled credentials hardwareConcurrency language languages locks maxTouchPoints onLine platform
  serviceWorker userAgent vendor webdriver
`);

/** Of a service worker's registration: no notifications, downloads or payments, which have addresses. */
const REGISTRATION = words('active constructor installing scope unregister update updateViaCache waiting');

/** Of the document: cookies and domains reach other hosts of one site. */
const NOT_OF_THE_DOCUMENT = /^(cookie|domain|requestStorageAccess.*|browsingTopics)$/;

export const keptOfWindow = (name) => Object.hasOwn(WINDOW, name) || EVENTS.test(name);
export const keptOfNavigator = (name) => Object.hasOwn(NAVIGATOR, name);
export const keptOfRegistration = (name) => Object.hasOwn(REGISTRATION, name) || EVENTS.test(name);
export const keptOfDocument = (name) => !NOT_OF_THE_DOCUMENT.test(name);

function words(text) {
  return Object.fromEntries(text.match(/\w+/g).map((word) => [word, true]));
}
