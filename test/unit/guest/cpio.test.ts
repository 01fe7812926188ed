/** The archive reader against archives made here, whole and damaged. */
import assert from 'node:assert/strict';
import { CpioArchive } from '../../../debug-adapter/guest/cpio';

const encoder = new TextEncoder();

function entry(name: string, mode: number, data: Uint8Array): Uint8Array {
  const nameBytes = encoder.encode(`${name}\0`);
  const fields = [1, mode, 0, 0, 1, 0, data.length, 0, 0, 0, 0, nameBytes.length, 0];
  const header = encoder.encode(`070701${fields.map((value) => value.toString(16).padStart(8, '0')).join('')}`);
  const padded = (bytes: Uint8Array, extra: number): number[] => [
    ...bytes,
    ...new Array<number>((4 - ((bytes.length + extra) % 4)) % 4).fill(0),
  ];
  return Uint8Array.from([...header, ...padded(nameBytes, header.length), ...padded(data, 0)]);
}

const archive = (...entries: readonly Uint8Array[]): Uint8Array =>
  Uint8Array.from([...entries, entry('TRAILER!!!', 0, new Uint8Array())].flatMap((each) => [...each]));
const text = (bytes: Uint8Array | undefined): string | undefined => (bytes === undefined ? undefined : new TextDecoder().decode(bytes));

const file = 0o100644;
const link = 0o120777;
const sample = archive(
  entry('./bin', 0o40755, new Uint8Array()),
  entry('./bin/prog', file, encoder.encode('program')),
  entry('sh', link, encoder.encode('/bin/prog')),
  entry('usr', link, encoder.encode('.')),
  entry('loop', link, encoder.encode('loop')),
);

describe('cpio', () => {
  const paths: readonly (readonly [string, string | undefined])[] = [
    ['/bin/prog', 'program'],
    ['bin/../bin/./prog', 'program'],
    ['/sh', 'program'],
    ['/usr/bin/prog', 'program'],
    ['/loop', undefined],
    ['/none', undefined],
    ['/../../bin/prog', 'program'],
  ];
  for (const [path, expected] of paths) it(`reads ${path}`, () => assert.equal(text(new CpioArchive(sample).read(path)), expected));

  it('keeps what lies before damage, at every length', () => {
    for (let length = 0; length < sample.length; length++) {
      const found = text(new CpioArchive(sample.subarray(0, length)).read('/bin/prog'));
      assert.ok(found === undefined || found === 'program', `${length}: ${found}`);
    }
  });

  it('survives random bytes', () => {
    let seed = Number(process.env['SEED'] ?? 1);
    console.log(`    SEED=${seed}`);
    const random = (): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff);
    for (let round = 0; round < 300; round++) {
      const bytes = sample.slice();
      for (let count = 0; count < 8; count++) bytes[random() % bytes.length] = random() & 0xff;
      new CpioArchive(bytes).read('/bin/prog');
    }
  });
});
