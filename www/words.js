// The demo page's texts in two languages. The vault has its own catalogues.

const en = {
  claim: 'Your photo is encrypted here, filtered by a server that cannot see it, and decrypted here.',
  language: 'Language',
  loading: 'Loading…',
  task: {
    title: 'Task',
    which: 'What the server should do',
    filter: 'filter a photo',
    classify: 'recognise who is in photos',
    network: 'say what a photo shows',
    whichNetwork: 'Network',
    encrypted: 'The server computes on encrypted numbers and sees neither the photo nor its answer.',
    learner: 'Learning method',
    linear: 'linear support vector machines',
    rbf: 'Gaussian support vector machines',
    neighbours: 'nearest neighbours',
    forest: 'random forest',
    obfuscated: 'For this task, photos are scrambled, not encrypted. That hides them only from a casual glance.',
  },
  filter: {
    which: 'Filter',
    border: 'Edge handling',
    replicate: 'repeat the edge',
    reflect: 'mirror the photo (edge pixel once)',
    zero: 'black',
    view: 'Show negative values',
    clamp: 'as black',
    signed: 'around middle grey',
    absolute: 'as absolute values',
    preset: (value) => `default: ${value}`,
    size: 'e.g. 3x5',
  },
  sees: {
    title: 'What this page sees',
    text: 'The frame is a separate site, the vault. It hands ciphertext to this page, which relays it to the server and back. Everything this page was told:',
    learning: 'The frame is a separate site, the vault. It hands this page scrambled pictures for the server, and numbers instead of names. Everything this page was told:',
    upload: (bytes) => `an encrypted photo, ${bytes}`,
    reply: (bytes, width, height) => `an encrypted result of ${width} × ${height} pixels, ${bytes}`,
    failed: (code) => `a photo failed: ${code}`,
    trained: (count) => `the server learned ${count} numbers that stand for names`,
    answered: (sent, received) => `an encrypted question, ${sent}, and its encrypted answer, ${received}`,
    classified: (label, likely) => `a scrambled picture shows number ${label}${likely && `, ${likely}`}`,
    phase: { decode: 'photo read', key: 'creating a key', encrypt: 'encryption started', upload: 'upload started', filter: 'server working', classify: 'server working', keys: 'uploading evaluation keys', learn: 'server learning', download: 'downloading the result' },
  },
  steps: {
    title: 'How it works',
    list: [
      'In the vault, your browser creates a key and encrypts the photo with it. The key stays there.',
      'The server filters what it sees as noise. It never gets the key.',
      'In the vault, your key decrypts the result, and you see the filtered photo.',
    ],
    asking: [
      'In the vault, your browser turns the photo into numbers and encrypts them with a key that stays there.',
      'The server’s network computes on the encrypted numbers and gets an answer that it cannot read.',
      'In the vault, your key decrypts the answer, and you see what the photo shows.',
    ],
    learning: [
      'In the vault, your browser scrambles all photos in the same way, with a key that stays there.',
      'The server learns from scrambled pictures, with numbers instead of names.',
      'It says which number another scrambled picture shows, and the vault knows the name.',
    ],
  },
  noVault: 'This server has no vault. Start it with: safelight serve --page FOLDER --vault FOLDER',
};

const de = {
  claim: 'Ihr Foto wird hier verschlüsselt, von einem Server gefiltert, der es nicht sehen kann, und hier entschlüsselt.',
  language: 'Sprache',
  loading: 'Wird geladen…',
  task: {
    title: 'Aufgabe',
    which: 'Was der Server tun soll',
    filter: 'ein Foto filtern',
    classify: 'erkennen, wer auf Fotos zu sehen ist',
    network: 'erkennen, was ein Foto zeigt',
    whichNetwork: 'Netz',
    encrypted: 'Der Server rechnet mit verschlüsselten Zahlen und sieht weder das Foto noch seine Antwort.',
    learner: 'Lernverfahren',
    linear: 'lineare Support-Vektor-Maschinen',
    rbf: 'Gaußsche Support-Vektor-Maschinen',
    neighbours: 'nächste Nachbarn',
    forest: 'Random Forest',
    obfuscated: 'Dabei werden Fotos verwürfelt, nicht verschlüsselt. Das verbirgt sie nur vor einem flüchtigen Blick.',
  },
  filter: {
    which: 'Filter',
    border: 'Randbehandlung',
    replicate: 'Rand wiederholen',
    reflect: 'Foto spiegeln (Randpixel nur einmal)',
    zero: 'schwarz',
    view: 'Negative Werte anzeigen',
    clamp: 'als Schwarz',
    signed: 'um mittleres Grau',
    absolute: 'als Beträge',
    preset: (value) => `Standard: ${value}`,
    size: 'z. B. 3x5',
  },
  sees: {
    title: 'Was diese Seite sieht',
    text: 'Der Rahmen ist eine eigene Website, der Tresor. Er übergibt dieser Seite verschlüsselte Daten, die sie zum Server und zurück überträgt. Alles, was diese Seite erfahren hat:',
    learning: 'Der Rahmen ist eine eigene Website, der Tresor. Er übergibt dieser Seite verwürfelte Bilder für den Server, und Nummern statt Namen. Alles, was diese Seite erfahren hat:',
    upload: (bytes) => `ein verschlüsseltes Foto, ${bytes}`,
    reply: (bytes, width, height) => `ein verschlüsseltes Ergebnis mit ${width} × ${height} Pixeln, ${bytes}`,
    failed: (code) => `ein Foto ist fehlgeschlagen: ${code}`,
    trained: (count) => `der Server hat ${count} Nummern gelernt, die für Namen stehen`,
    answered: (sent, received) => `eine verschlüsselte Anfrage, ${sent}, und ihre verschlüsselte Antwort, ${received}`,
    classified: (label, likely) => `ein verwürfeltes Bild zeigt Nummer ${label}${likely && `, ${likely}`}`,
    phase: { decode: 'Foto gelesen', key: 'Schlüssel wird erzeugt', encrypt: 'Verschlüsselung gestartet', upload: 'Hochladen gestartet', filter: 'Server arbeitet', classify: 'Server arbeitet', keys: 'Auswertungsschlüssel werden hochgeladen', learn: 'Server lernt', download: 'Ergebnis wird heruntergeladen' },
  },
  steps: {
    title: 'So funktioniert es',
    list: [
      'Im Tresor erzeugt Ihr Browser einen Schlüssel und verschlüsselt das Foto damit. Der Schlüssel bleibt dort.',
      'Der Server filtert, was für ihn Rauschen ist. Er erhält den Schlüssel nie.',
      'Im Tresor entschlüsselt Ihr Schlüssel das Ergebnis, und Sie sehen das gefilterte Foto.',
    ],
    asking: [
      'Im Tresor wandelt Ihr Browser das Foto in Zahlen um und verschlüsselt sie mit einem Schlüssel, der dort bleibt.',
      'Das Netz des Servers rechnet mit den verschlüsselten Zahlen und erhält eine Antwort, die es nicht lesen kann.',
      'Im Tresor entschlüsselt Ihr Schlüssel die Antwort, und Sie sehen, was das Foto zeigt.',
    ],
    learning: [
      'Im Tresor verwürfelt Ihr Browser alle Fotos auf dieselbe Weise, mit einem Schlüssel, der dort bleibt.',
      'Der Server lernt aus verwürfelten Bildern mit Nummern statt Namen.',
      'Er sagt, welche Nummer ein anderes verwürfeltes Bild zeigt, und der Tresor kennt den Namen.',
    ],
  },
  noVault: 'Dieser Server hat keinen Tresor. Starten Sie ihn mit: safelight serve --page ORDNER --vault ORDNER',
  filters: {
    mean: ['Mittelwert', 'Ersetzt jedes Pixel durch den Mittelwert seiner Umgebung.'],
    gaussian: ['Gauß', 'Weichzeichner mit Glockenkurve.'],
    sharpen: ['Schärfen', 'Hebt Kanten hervor.'],
    'sobel-x': ['Sobel horizontal', 'Helligkeitsunterschiede von links nach rechts.'],
    'sobel-y': ['Sobel vertikal', 'Helligkeitsunterschiede von oben nach unten.'],
    laplacian: ['Laplace', 'Kanten in allen Richtungen.'],
    emboss: ['Relief', 'Wie in Metall geprägt.'],
    kernel: ['Eigene Faltungsmatrix', 'Beliebige ganzzahlige Matrix bis 15x15.'],
    brightness: ['Helligkeit', 'Erhöht oder verringert alle Werte um denselben Betrag.'],
    blend: ['Überblenden', 'Mischt zwei Fotos.'],
  },
  parameters: {
    radius: 'Radius in Pixeln',
    size: 'Breite x Höhe in Pixeln, beide ungerade, statt des Radius',
    sigma: 'Standardabweichung in Pixeln',
    weights: 'Eine Matrixzeile je Zeile, Zahlen durch Kommas getrennt. Das Pixel selbst liegt in Spalte Breite/2 und Zeile Höhe/2, abgerundet und ab 0 gezählt',
    divisor: 'Die Summe wird durch diese Zahl geteilt',
    offset: 'Wird addiert, von -255 bis 255',
    share: 'Anteil des ersten Fotos in Prozent',
  },
};

const catalogues = { en, de };

/** The tag and the words of the language in use. */
export let language = 'en';
export let words = en;

/** Switches the page to the first of these languages that has a catalogue. */
export function choose(tags) {
  language = tags.map((tag) => tag.toLowerCase().split('-')[0]).find((tag) => Object.hasOwn(catalogues, tag)) ?? 'en';
  words = catalogues[language];
  document.documentElement.lang = language;
  const at = (path) => path.split('.').reduce((part, name) => part[name], words);
  for (const element of document.querySelectorAll('[data-word]')) element.textContent = at(element.dataset.word);
  for (const list of document.querySelectorAll('[data-words]')) {
    for (const [i, text] of at(list.dataset.words).entries()) list.children[i].textContent = text;
  }
}
