// The sentences of the demo page in two languages. The vault has catalogues of its own.

const en = {
  claim: 'Your photo is encrypted here, filtered by a server that cannot see it, and opened again here.',
  language: 'Language',
  loading: 'Loading…',
  task: {
    title: 'Task',
    which: 'What the server shall do',
    filter: 'filter a photo',
    classify: 'recognise who is on photos',
    network: 'say what a photo shows',
    whichNetwork: 'Network',
    encrypted: 'The server computes with encrypted numbers and learns neither the photo nor its answer.',
    learner: 'What it learns with',
    linear: 'support-vector machines, linear',
    rbf: 'support-vector machines, Gaussian',
    neighbours: 'the nearest neighbours',
    forest: 'a random forest',
    obfuscated: 'For this, photos are scrambled, not encrypted: that hides them from a casual look, no more.',
  },
  filter: {
    which: 'Filter',
    border: 'Beyond the edge of the photo',
    replicate: 'repeat the edge',
    reflect: 'mirror the photo (edge pixel once)',
    zero: 'black',
    view: 'Show negative results',
    clamp: 'as black',
    signed: 'around middle grey',
    absolute: 'without their sign',
    preset: (value) => `${value} unless given`,
    size: 'such as 3x5',
  },
  sees: {
    title: 'What this page gets to see',
    text: 'The frame is another site, the vault. It hands ciphertext to this page, which carries it to the server and back. Here is all that this page was told:',
    learning: 'The frame is another site, the vault. It hands scrambled pictures to this page, which carries them to the server, and numbers in place of names. Here is all that this page was told:',
    upload: (bytes) => `an encrypted photo, ${bytes}`,
    reply: (bytes, width, height) => `an encrypted result of ${width} × ${height} pixels, ${bytes}`,
    failed: (code) => `a photo failed: ${code}`,
    trained: (count) => `the server learned ${count} numbers that stand for names`,
    answered: (sent, received) => `an encrypted question, ${sent}, and its encrypted answer, ${received}`,
    classified: (label, likely) => `on a scrambled picture is number ${label}${likely && `, ${likely}`}`,
    phase: { decode: 'a photo was read', key: 'a key is made', encrypt: 'encryption began', upload: 'sending began', filter: 'the server works', classify: 'the server works', keys: 'keys for computing are sent', learn: 'the server learns', download: 'the result arrives' },
  },
  steps: {
    title: 'How it works',
    list: [
      'In the vault your browser makes a key and encrypts the photo with it. The key stays there.',
      'The server filters what looks like noise to it. It never has the key.',
      'In the vault your key opens the answer, and you see the filtered photo.',
    ],
    asking: [
      'In the vault your browser makes numbers of the photo and encrypts them with a key that stays there.',
      'The server’s network computes with the encrypted numbers, and gets an answer that it cannot read.',
      'In the vault your key opens the answer, and you see what the photo shows.',
    ],
    learning: [
      'In the vault your browser scrambles the photos, all alike, with a key that stays there.',
      'The server learns from scrambled pictures with numbers instead of names.',
      'It says which number another scrambled picture is like, and the vault knows the name.',
    ],
  },
  noVault: 'This server serves no vault. Start it with: safelight serve --page FOLDER --vault FOLDER',
};

const de = {
  claim: 'Ihr Foto wird hier verschlüsselt, von einem Server gefiltert, der es nicht sehen kann, und hier wieder geöffnet.',
  language: 'Sprache',
  loading: 'Lädt…',
  task: {
    title: 'Aufgabe',
    which: 'Was der Server tun soll',
    filter: 'ein Foto filtern',
    classify: 'erkennen, wer auf Fotos ist',
    network: 'sagen, was ein Foto zeigt',
    whichNetwork: 'Netz',
    encrypted: 'Der Server rechnet mit verschlüsselten Zahlen und erfährt weder das Foto noch seine Antwort.',
    learner: 'Womit er lernt',
    linear: 'Support-Vektor-Maschinen, linear',
    rbf: 'Support-Vektor-Maschinen, Gauß',
    neighbours: 'die nächsten Nachbarn',
    forest: 'ein Zufallswald',
    obfuscated: 'Dafür werden Fotos verwürfelt, nicht verschlüsselt: Das verbirgt sie vor einem flüchtigen Blick, mehr nicht.',
  },
  filter: {
    which: 'Filter',
    border: 'Jenseits des Bildrands',
    replicate: 'den Rand wiederholen',
    reflect: 'das Foto spiegeln (Randpixel nur einmal)',
    zero: 'schwarz',
    view: 'Negative Ergebnisse zeigen',
    clamp: 'als Schwarz',
    signed: 'um mittleres Grau',
    absolute: 'ohne Vorzeichen',
    preset: (value) => `sonst ${value}`,
    size: 'etwa 3x5',
  },
  sees: {
    title: 'Was diese Seite zu sehen bekommt',
    text: 'Der Rahmen ist eine andere Website, der Tresor. Er gibt dieser Seite Verschlüsseltes, und sie trägt es zum Server und zurück. Das ist alles, was dieser Seite gesagt wurde:',
    learning: 'Der Rahmen ist eine andere Website, der Tresor. Er gibt dieser Seite verwürfelte Bilder, die sie zum Server trägt, und Nummern statt Namen. Das ist alles, was dieser Seite gesagt wurde:',
    upload: (bytes) => `ein verschlüsseltes Foto, ${bytes}`,
    reply: (bytes, width, height) => `ein verschlüsseltes Ergebnis von ${width} × ${height} Pixeln, ${bytes}`,
    failed: (code) => `ein Foto ist gescheitert: ${code}`,
    trained: (count) => `der Server hat ${count} Nummern gelernt, die für Namen stehen`,
    answered: (sent, received) => `eine verschlüsselte Frage, ${sent}, und ihre verschlüsselte Antwort, ${received}`,
    classified: (label, likely) => `auf einem verwürfelten Bild ist Nummer ${label}${likely && `, ${likely}`}`,
    phase: { decode: 'ein Foto wurde gelesen', key: 'ein Schlüssel entsteht', encrypt: 'die Verschlüsselung begann', upload: 'das Senden begann', filter: 'der Server arbeitet', classify: 'der Server arbeitet', keys: 'Schlüssel zum Rechnen werden gesendet', learn: 'der Server lernt', download: 'das Ergebnis kommt an' },
  },
  steps: {
    title: 'Wie es geht',
    list: [
      'Im Tresor macht Ihr Browser einen Schlüssel und verschlüsselt das Foto damit. Der Schlüssel bleibt dort.',
      'Der Server filtert, was für ihn wie Rauschen aussieht. Er hat den Schlüssel nie.',
      'Im Tresor öffnet Ihr Schlüssel die Antwort, und Sie sehen das gefilterte Foto.',
    ],
    asking: [
      'Im Tresor macht Ihr Browser aus dem Foto Zahlen und verschlüsselt sie mit einem Schlüssel, der dort bleibt.',
      'Das Netz des Servers rechnet mit den verschlüsselten Zahlen und bekommt eine Antwort, die es nicht lesen kann.',
      'Im Tresor öffnet Ihr Schlüssel die Antwort, und Sie sehen, was das Foto zeigt.',
    ],
    learning: [
      'Im Tresor verwürfelt Ihr Browser die Fotos, alle gleich, mit einem Schlüssel, der dort bleibt.',
      'Der Server lernt aus verwürfelten Bildern mit Nummern statt Namen.',
      'Er sagt, welcher Nummer ein anderes verwürfeltes Bild gleicht, und der Tresor kennt den Namen.',
    ],
  },
  noVault: 'Dieser Server liefert keinen Tresor aus. Starten Sie ihn mit: safelight serve --page ORDNER --vault ORDNER',
  filters: {
    mean: ['Mittelwert', 'Jedes Pixel wird das Mittel seiner Umgebung.'],
    gaussian: ['Gauß', 'Weichzeichner mit einer Glockenkurve.'],
    sharpen: ['Schärfen', 'Hebt Kanten hervor.'],
    'sobel-x': ['Sobel waagerecht', 'Helligkeitsunterschiede von links nach rechts.'],
    'sobel-y': ['Sobel senkrecht', 'Helligkeitsunterschiede von oben nach unten.'],
    laplacian: ['Laplace', 'Kanten in jeder Richtung.'],
    emboss: ['Relief', 'Wie in Metall geprägt.'],
    kernel: ['Eigener Kern', 'Jeder ganzzahlige Kern bis 15x15.'],
    brightness: ['Helligkeit', 'Alle Werte werden um denselben Betrag größer oder kleiner.'],
    blend: ['Überblenden', 'Zwei Fotos übereinander.'],
  },
  parameters: {
    radius: 'Radius in Pixeln',
    size: 'Breite x Höhe in Pixeln, beide ungerade, statt des Radius',
    sigma: 'Standardabweichung in Pixeln',
    weights: 'Zeilen des Kerns mit Kommas zwischen den Zahlen, eine Zeile je Zeile. Das Pixel selbst liegt unter Spalte Breite/2 und Zeile Höhe/2, abgerundet und ab 0 gezählt',
    divisor: 'Die Summe wird durch diese Zahl geteilt',
    offset: 'Was dazukommt, von -255 bis 255',
    share: 'Anteil des ersten Fotos in Prozent',
  },
};

const catalogues = { en, de };

/** The language's tag and words in use. */
export let language = 'en';
export let words = en;

/** Takes the first of these languages that there are words for, and writes them into the page. */
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
