// Every sentence that the vault shows, in English. The other catalogues have the same entries.

export const en = {
  title: 'Your photos',
  whose: (host, site) => `Safelight’s vault at ${host}. The site ${site} around it gets to see encrypted photos only.`,
  whoseScrambled: (host, site) =>
    `Safelight’s vault at ${host}. The site ${site} around it gets to see scrambled pictures only, which hide your photos from a casual look.`,
  alone: (host) => `Safelight’s vault at ${host}. It does its work inside of a photo site, not on a page of its own.`,

  drop: {
    title: 'Drop photos here',
    choose: 'or paste them, or choose them:',
    folder: 'Choose a folder',
    sample: 'Try the sample photo',
    second: 'Second photo, of the same size',
    secondHint: 'It is encrypted like the first one.',
    formats: 'PNG, JPEG or WebP up to 16 megapixels. Encrypted .slt files are opened with your key.',
  },
  task: {
    filter: (filter, host) => `The server ${host} shall do: ${filter}.`,
    encrypt: 'They are encrypted here, and the site gets the encrypted photos.',
    open: 'Encrypted photos are opened here, for you alone.',
  },

  phases: {
    decode: 'Read',
    key: 'Key',
    encrypt: 'Encrypt',
    upload: 'Send',
    filter: 'Filter',
    download: 'Receive',
    decrypt: 'Open',
  },
  doing: {
    decode: 'Reading the photo',
    key: 'Making your key',
    encrypt: 'Encrypting',
    keys: 'Sending keys for computing, once',
    upload: 'Sending',
    filter: 'The server is filtering what it cannot see',
    classify: 'The server is classifying what it cannot see',
    download: 'Receiving',
    decrypt: 'Opening with your key',
  },
  notices: {
    reduced_to_8_bit: '16-bit colours reduced to 8 bits',
    alpha_kept_here: 'transparency stays here',
    first_frame_only: 'first frame only',
    decoded_by_browser: 'read by your browser',
  },

  card: {
    original: 'Original',
    compare: 'Result on the left, original on the right',
    result: 'Result',
    stays: 'stays here',
    slider: 'How much of the result is shown over the original',
    seen: 'What the server sees',
    progress: 'Progress',
    asking: 'The site hands you this encrypted photo. It is opened here, for you alone, if you say so.',
    open: 'Open with my key',
    cancel: 'Cancel',
    savePicture: 'Save picture',
    saveUpload: 'Save encrypted photo',
    saveReply: 'Save encrypted result',
    again: 'Run again',
    remove: 'Remove',
    pasted: 'Pasted photo',
    fromSite: 'Photo from the site',
    grey: 'grey',
    colour: 'colour',
    notFiltered: 'not filtered',
    waiting: 'Waiting',
    failed: 'Failed',
    cancelled: 'Cancelled',
    checked: 'Done. The server did what it says.',
    done: 'Done',
    encrypted: 'Done. The site has the encrypted photo.',
    sent: (bytes) => `${bytes} sent`,
    received: (bytes) => `${bytes} received`,
    originalOf: (name) => `${name}, as it was`,
    resultOf: (name) => `${name}, the result`,
    encryptedOf: (name) => `${name}, as the server sees it: noise`,
  },

  queue: {
    title: 'All photos',
    total: 'Progress of all photos',
    pause: 'Pause',
    resume: 'Go on',
    paused: 'Paused',
    cancelAll: 'Cancel all',
    openAll: 'Open all with my key',
    saveAll: 'Save all pictures',
    clear: 'Remove finished ones',
    state: (done, all) => `${done} of ${all} finished`,
    asking: (count) => (count === 1 ? '1 waits for your click' : `${count} wait for your click`),
  },

  left: (span) => `about ${span} left`,
  tried: (count) => `${count} candidates tried`,
  seconds: (s) => `${s} s`,
  minutes: (m, s) => (s === null ? `${m} min` : `${m} min ${s} s`),

  keys: {
    title: 'Your key',
    making: (bits) => `Making a ${bits}-bit key…`,
    kept: 'kept in this browser',
    tabOnly: 'in this tab only',
    notExported: 'no key file saved yet',
    fingerprint: (text) => `Fingerprint ${text}`,
    size: 'A new key shall be',
    bits2048: '2048 bits, faster',
    bits3072: '3072 bits, recommended',
    bits4096: '4096 bits, slow',
    newEtc: 'for scrambled pictures',
    more: 'More keys',
    ring: 'Key in use',
    new: 'New key',
    forget: 'Stop using it',
    export: 'Save key file',
    rename: 'Rename',
    delete: 'Delete',
    open: 'Open a key file',
    later: 'Later',
    unnamed: 'Key',
    storage: {
      kept: 'Keys are kept in this browser, for this site only. To use a key elsewhere, save its key file and open it there.',
      refused:
        'This browser refuses to keep keys (private windows and blocked storage do that). They live in this tab only: save the key file before you close it.',
      memory: 'Keys live in this tab only: save the key file before you close it.',
    },
  },

  // How this browser protects the keys that it keeps.
  protection: {
    keepTitle: 'How should this browser keep your key?',
    keepText:
      'So far your key is in this tab only and goes when you close it. A protected key opens only with your passphrase or passkey, once per visit. An unprotected key can be opened by anyone who gets a copy of this browser’s profile folder, from a backup or a stolen disk, even after you have deleted the key.',
    changeTitle: 'How should this browser protect your keys?',
    changeText:
      'Protected keys open only with your passphrase or passkey, once per visit. Unprotected keys can be opened by anyone who gets a copy of this browser’s profile folder, from a backup or a stolen disk, even after you have deleted them.',
    byPassphrase: 'Protect with a passphrase',
    byPasskey: 'Protect with a passkey',
    unprotected: 'Keep without protection',
    protect: 'Protect your keys',
    change: 'Change the protection',
    unlock: 'Unlock',
    lock: 'Lock now',
    clear: 'Delete all keys',
    lockedState: 'Your keys are locked.',
    undecidedState: 'Your key is in this tab only until you choose how this browser keeps it.',
    unprotectedKey: 'not protected',
    state: {
      none: 'Your keys are not protected: anyone who gets a copy of this browser’s profile folder can open them, even after you have deleted them.',
      passphrase:
        'Your keys are protected by a passphrase. Without it, a copy of this browser’s profile folder does not open them. Whoever uses this browser while they are unlocked can use them.',
      passkey:
        'Your keys are protected by a passkey. Without it, a copy of this browser’s profile folder does not open them. Whoever uses this browser while they are unlocked can use them.',
    },
    oldCopies:
      'A key of yours was stored without protection before, and old copies of it may remain in the browser’s files. Only a new key that is protected from the start leaves none.',
    remainsOpen: 'Old copies may remain in this browser’s files, and open without a passphrase.',
    remainsSealed: 'What may remain of it in this browser’s files opens only with your passphrase or passkey.',
    passphraseTitle: 'Protect with a passphrase',
    passphraseText:
      'You type it once per visit. Take five or six words that have nothing to do with each other. Nobody can recover it: save the key file, too.',
    passphraseYes: 'Protect',
    passkeyTitle: 'Protect with a passkey',
    passkeyText:
      'Your browser makes a passkey and asks for it once per visit. If the passkey is lost, your keys are lost with it: save the key file, too.',
    passkeyYes: 'Make the passkey',
    passkeyName: 'Safelight keys',
    unlockTitle: 'Unlock your keys',
    unlockText: 'Your keys in this browser are protected by a passphrase.',
    unlockPasskey: 'Your keys in this browser are protected by a passkey.',
    unlockYesPasskey: 'Use the passkey',
    removeTitle: 'Remove the protection?',
    removeText:
      'Anyone who gets a copy of this browser’s profile folder can then open your keys, even after you have deleted them or protected them again.',
    removeYes: 'Remove the protection',
    clearTitle: 'Delete all keys',
    clearText:
      'All keys that this browser keeps for this site are deleted. What is encrypted with them can then be opened with their key files only; without these, never again, by nobody.',
    clearYes: 'Delete them for ever',
  },

  // What depends on what a key is for.
  kinds: {
    paillier: {
      none: 'No key yet. One is made for your first photo.',
      unused: 'No key in use. Choose one of yours, or a new one is made for your next photo.',
      ready: (name, bits) => `${name || 'Key'}, ${bits} bits`,
      reminder:
        'Save your key file now. Whatever is encrypted with this key can be opened with it alone: if this browser loses the key, nobody can bring it back.',
      exportText:
        'The file opens everything that is encrypted with this key. A passphrase protects it; write it down, nobody can recover it. The file has the age format, and the command line opens it too.',
      deleteText: (name) => `“${name}” is deleted from this browser. What is encrypted with it can then be opened with its key file only.`,
      deleteNoFile: (name) =>
        `“${name}” is deleted from this browser, and its key file was never saved. What is encrypted with it can then never be opened again, by nobody.`,
      loseText: 'This key lives in this tab only, and its key file was never saved. Encrypted files that you saved can then never be opened again.',
      what: (bits) => `for encryption, ${bits} bits`,
    },
    etc: {
      none: 'No key for scrambled pictures yet. One is made for your first picture.',
      unused: 'No key for scrambled pictures in use. Choose one of yours, or a new one is made for your next picture.',
      ready: (name) => `${name || 'Key'}, for scrambled pictures`,
      reminder:
        'Save your key file now. Only with this key can the server recognise new photos, and can scrambled pictures be put together again: if this browser loses it, nobody can bring it back.',
      exportText:
        'The file opens everything that is scrambled with this key. A passphrase protects it; write it down, nobody can recover it. The file has the age format, and the command line opens it too.',
      deleteText: (name) => `“${name}” is deleted from this browser. What is scrambled with it can then be put together with its key file only.`,
      deleteNoFile: (name) =>
        `“${name}” is deleted from this browser, and its key file was never saved. What is scrambled with it can then never be put together again by its owner.`,
      loseText: 'This key lives in this tab only, and its key file was never saved. What is scrambled with it can then not be used any more.',
      what: () => 'for scrambled pictures',
    },
    ckks: {
      none: 'No key for encrypted numbers yet. One is made for your first photo.',
      unused: 'No key for encrypted numbers in use. Choose one of yours, or a new one is made for your next photo.',
      ready: (name) => `${name || 'Key'}, for encrypted numbers`,
      reminder:
        'Save your key file now. Only this key opens what a server has computed for you with encrypted numbers: if this browser loses it, nobody can bring it back.',
      exportText:
        'The file opens all numbers that are encrypted with this key. A passphrase protects it; write it down, nobody can recover it. The file has the age format, and the command line opens it too.',
      deleteText: (name) => `“${name}” is deleted from this browser. What is encrypted with it can then be opened with its key file only.`,
      deleteNoFile: (name) =>
        `“${name}” is deleted from this browser, and its key file was never saved. What is encrypted with it can then never be opened again, by nobody.`,
      loseText: 'This key lives in this tab only, and its key file was never saved. What is encrypted with it can then never be opened again.',
      what: () => 'for encrypted numbers',
    },
  },

  dialog: {
    cancel: 'Cancel',
    exportTitle: 'Save key file',
    passphrase: 'Passphrase',
    again: 'The same again',
    bare: 'Without a passphrase: whoever gets the file can open your photos',
    exportYes: 'Save',
    differ: 'The two passphrases differ.',
    short: 'Please take at least 8 characters, better several words.',
    weak: 'This passphrase is easy to guess. Five or six words that have nothing to do with each other are better.',
    working: 'Working…',
    lockTitle: 'Lock your keys now?',
    lockText: 'The work under way is cancelled.',
    lockYes: 'Lock now',
    openTitle: 'Open key file',
    openText: 'This key file is protected by a passphrase.',
    openYes: 'Open',
    renameTitle: 'Rename key',
    renameText: 'The name is for you alone; it never leaves this browser.',
    name: 'Name',
    renameYes: 'Rename',
    deleteTitle: 'Delete key',
    deleteYes: 'Delete for ever',
    loseTitle: 'Give the key up?',
    loseYes: 'Give it up',
  },

  recognise: {
    task: (host) => `The server ${host} learns from scrambled pictures who or what they show, and says it of others.`,
    warning:
      'Scrambling is obfuscation, not encryption: it hides a picture from a casual look. For the server to learn, all pictures must be scrambled alike, and such pictures give each other away.',
    whyTitle: 'What that means',
    why: [
      'From five pictures under one key anybody can put half of each together again within seconds, from a few dozen all; the command line has this attack: safelight attack etc.',
      'The site, the server and whoever reads along get the scrambled pictures, numbers in place of names, and what each picture is recognised as.',
      'Names, photos and the key stay in this frame.',
      'Take photos that you would rather not show, but could bear to have seen. docs/etc-attacks.md of Safelight says what was measured.',
    ],
    teach: '1. Photos with names',
    teachHint:
      'Give each person or thing a name, and some photos of each: the more different the light, the better. The middle of each photo is cut out as a square of 96 by 96 grey pixels; cut your photos so that a face fills it.',
    name: 'Name',
    addName: 'Add this name',
    count: (count) => (count === 1 ? '1 photo' : `${count} photos`),
    photosOf: (name) => `Photos of ${name}: drop them here, or choose them`,
    remove: (name) => `Remove ${name}`,
    removePhoto: (name, number) => `Remove photo ${number} of ${name}`,
    clearOf: (name, number) => `Photo ${number} of ${name}, as it is cut out`,
    scrambledOf: (title) => `${title}: what the server gets`,
    learnTitle: '2. Learn',
    learn: 'Let the server learn',
    forget: 'Let the server forget',
    progress: 'Progress',
    needed: (count) => `It takes at least ${count} names with ${count} photos each.`,
    scrambling: (number, all) => `Scrambling photo ${number} of ${all}`,
    enrolled: (name, count) => `${name}: ${count === 1 ? '1 photo' : `${count} photos`} here. Nothing was sent yet.`,
    doing: { upload: 'Sending scrambled pictures', learn: 'The server is learning from pictures that it cannot make out' },
    learned: (names, pictures) => `The server has learned ${names} names from ${pictures} scrambled pictures.`,
    forgotten: 'The server was told to forget what it has learned.',
    unknownTitle: '3. Recognise',
    unknown: 'Drop other photos here, or choose them',
    asking: (number, all) => `Asking about photo ${number} of ${all}`,
    said: (photo, name, likely) => `${photo}: ${name}${likely ? `, ${likely}` : ''}`,
    likely: (name, percent) => `${name}, ${percent}`,
  },

  network: {
    task: (host) => `A network of the server ${host} shall say what they show. It computes with encrypted numbers: it sees neither the photos nor its answers.`,
    labels: (list, more) => `It can tell: ${list}${more ? ', and more' : ''}.`,
    keyName: 'For answers',
    done: 'Done. Only you can read this answer; do not publish it.',
    stays: [
      'the photo, and all that is made of it in the clear',
      'what the network says about it: it comes back encrypted',
      'the file’s name, date, place and camera data',
      'your secret keys and their names',
    ],
    seen: [
      'which network you ask, when, how often, and from which network address',
      'encrypted numbers, as many for every photo',
      'keys with which the server can compute, and not decrypt; they also say which questions belong together',
    ],
    limits:
      'Nobody can check what a dishonest server answers: it cannot look, but it can say anything. Keep the answers to yourself: a dishonest server can choose them so that each one you publish gives away a little of your key.',
  },

  protected: {
    title: 'What is protected',
    staysTitle: 'Never leaves this frame',
    stays: [
      'the pixels and colours of your photo, and of the result',
      'its transparency: it is put back after the result has arrived',
      'the file’s name, date, place and camera data',
      'your secret keys and their names',
    ],
    seenTitle: 'The site, the server and the network do see',
    seen: [
      'width and height, and whether the photo is grey or coloured',
      'the filter, its parameters, and what lies beyond the edge',
      'your public key, so that photos under one key belong together',
      'when you send, how much, and from which network address',
    ],
    limits:
      'A dishonest server cannot look, and what it answers is checked here; only a change of a few pixels can go unnoticed. Whoever delivers this frame could deliver one that leaks, and a dishonest site could show a frame that only looks like this one: look at the address above.',
  },
  server: (host, name) => (name ? `Server: ${host}, ${name}.` : `Server: ${host}.`),
  arithmetic: (version, build) => `Safelight ${version}. Arithmetic: ${build.arithmetic}, ${build.variant} build.`,

  // What the site did that it should not have done.
  site: {
    badMessage: 'This site sent something that the vault does not understand. It was ignored.',
    secondConnect: 'Something on this site tried to connect to the vault a second time. It was refused.',
    tooMany: 'The site hands over more encrypted photos than are shown at a time. Open or remove some first.',
    addressData: 'The address of this frame carried data. The vault ignores it.',
  },

  errors: {
    // All others explain themselves in English.
    needs_two: 'This filter needs two photos; choose the second one, or drop two at once',
    key_busy: 'Wait until the work is done before you change the key',
    public_key: 'This is a public key; only its secret key opens pictures',
    no_site: 'The site does not answer; reload the page',
    not_learned: 'Drop photos onto a name first, and let the server learn; then it can recognise others',
    still_busy: 'Wait until the work is done, or cancel it',
    other_key: 'The server has learned from pictures under another key; let it learn again, or take that key',
  },
  advice: {
    internal: 'This is a fault in Safelight. The broken worker was replaced; you can go on.',
    unreachable: 'Check that the server runs and that you are online, then run the photo again.',
    foreign_key: 'Open the key file that belongs to it.',
    no_passkey: 'Some sites do not allow passkeys in this frame.',
    wrong_result: 'Nothing of your photo got out by that.',
    not_verifiable: 'To open what others encrypted for you, use the command line with --from-others.',
  },
};
