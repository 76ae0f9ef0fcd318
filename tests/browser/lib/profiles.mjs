// Colour profiles for the tests, made without the code under test.

const fixed = (...numbers) => Buffer.concat(numbers.map((number) => be32(Math.round(number * 65536))));
const place = (x, y, z) => Buffer.concat([Buffer.from('XYZ \0\0\0\0', 'latin1'), fixed(x, y, z)]);

function be32(number) {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(number);
  return bytes;
}

/** An ICC profile of Display P3 with this name. */
export function p3Profile(name = 'P3 of the tests') {
  const words = Buffer.from(name, 'utf16le').swap16();
  const text = Buffer.concat([
    Buffer.from('mluc\0\0\0\0', 'latin1'),
    be32(1),
    be32(12),
    Buffer.from('enUS'),
    be32(words.length),
    be32(28),
    words,
  ]);
  const curve = Buffer.concat([
    Buffer.from('para\0\0\0\0\0\x03\0\0', 'latin1'),
    fixed(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045),
  ]);
  const tags = [
    ['desc', text],
    ['cprt', text],
    ['wtpt', place(0.9642, 1, 0.8249)],
    ['rXYZ', place(0.51512, 0.2412, -0.00105)],
    ['gXYZ', place(0.29198, 0.69225, 0.04189)],
    ['bXYZ', place(0.1571, 0.06657, 0.78407)],
    ['rTRC', curve],
    ['gTRC', curve],
    ['bTRC', curve],
  ];
  let at = 132 + 12 * tags.length;
  const table = [be32(tags.length)];
  const data = [];
  for (const [kind, body] of tags) {
    const padded = Buffer.concat([body, Buffer.alloc(-body.length & 3)]);
    table.push(Buffer.from(kind), be32(at), be32(body.length));
    data.push(padded);
    at += padded.length;
  }
  const head = Buffer.alloc(128);
  head.writeUInt32BE(at, 0);
  head.writeUInt32BE(0x04300000, 8);
  head.write('mntrRGB XYZ ', 12);
  head.write('acsp', 36);
  fixed(0.9642, 1, 0.8249).copy(head, 68);
  return Buffer.concat([head, ...table, ...data]);
}

/** A JPEG file with a profile, in `parts` pieces, the last one first. */
export function withProfile(jpeg, profile, parts = 1) {
  const length = Math.ceil(profile.length / parts);
  const segments = Array.from({ length: parts }, (_, i) => {
    const piece = profile.subarray(i * length, (i + 1) * length);
    const head = Buffer.from('\xff\xe2\0\0ICC_PROFILE\0\0\0', 'latin1');
    head.writeUInt16BE(head.length - 2 + piece.length, 2);
    head.set([i + 1, parts], 16);
    return Buffer.concat([head, piece]);
  });
  return Buffer.concat([jpeg.subarray(0, 2), ...segments.reverse(), withoutProfile(jpeg).subarray(2)]);
}

/** A JPEG file without the profile that browsers write into theirs. */
function withoutProfile(jpeg) {
  const kept = [jpeg.subarray(0, 2)];
  let at = 2;
  while (jpeg[at + 1] !== 0xda) {
    const end = at + 2 + jpeg.readUInt16BE(at + 2);
    if (jpeg[at + 1] !== 0xe2) kept.push(jpeg.subarray(at, end));
    at = end;
  }
  return Buffer.concat([...kept, jpeg.subarray(at)]);
}
