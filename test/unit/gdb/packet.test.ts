import assert from 'node:assert/strict';
import {
  asciiBytes,
  asciiText,
  escapeBinary,
  frame,
  type FrameEvent,
  fromHex,
  PacketReader,
  parseCount,
  parseNumber,
  runLength,
  toHex,
  unescapeBinary,
} from '../../../debug-adapter/gdb/packet';
import { randomSource } from './random';

/** A client's decoding of run lengths, written from the manual. */
function expand(text: string): string {
  let out = '';
  for (let i = 0; i < text.length; i++) {
    if (text[i] !== '*') out += text[i]!;
    else out += out.at(-1)!.repeat(text.charCodeAt(++i) - 29);
  }
  return out;
}

const packets = (events: readonly FrameEvent[]): string[] =>
  events.map((event) => (event.kind === 'packet' ? `${event.intact ? '' : '!'}${asciiText(event.data)}` : event.kind));

describe('gdb: packets', () => {
  it('frames with the checksum of the manual', () => {
    assert.equal(asciiText(frame(asciiBytes('vMustReplyEmpty'))), '$vMustReplyEmpty#3a');
    assert.equal(asciiText(frame(asciiBytes(''))), '$#00');
  });

  it('reads packets, acknowledgements and interrupts, however they are cut', () => {
    const stream = asciiBytes('+$g#67-\x03noise$m0,4#fd$X#00$a$g#67');
    const wanted = ['ack', 'g', 'nack', 'interrupt', 'm0,4', '!X', 'g'];
    assert.deepEqual(packets(new PacketReader(100).push(stream)), wanted);
    const reader = new PacketReader(100);
    assert.deepEqual(packets([...stream].flatMap((byte) => reader.push(Uint8Array.of(byte)))), wanted);
  });

  it('keeps Ctrl-C inside a packet for data', () => {
    assert.deepEqual(packets(new PacketReader(10).push(frame(Uint8Array.of(0x58, 3)))), ['X\x03']);
  });

  it('throws long packets away and goes on', () => {
    const reader = new PacketReader(4);
    assert.deepEqual(packets(reader.push(asciiBytes('$12345#ff$1234#ca'))), ['oversized', '1234']);
  });

  it('escapes binary data and back', () => {
    const all = Uint8Array.from({ length: 512 }, (_, i) => i & 0xff);
    const escaped = escapeBinary(all);
    for (const special of '$#*') assert.ok(!escaped.includes(special.charCodeAt(0)), special);
    assert.deepEqual(unescapeBinary(escaped), all);
    assert.deepEqual(unescapeBinary(Uint8Array.of(0x41, 0x7d)), Uint8Array.of(0x41));
  });

  it('shortens every run so that a client reads the same, and no count looks like framing', () => {
    assert.equal(runLength('0000'), '0* ');
    for (let length = 0; length < 400; length++) {
      const text = `a${'0'.repeat(length)}b`;
      const short = runLength(text);
      assert.equal(expand(short), text);
      assert.ok(!/[#$+-]/.test(short), short);
      assert.ok(short.length <= text.length);
    }
  });

  it('reads numbers of at most 64 bits', () => {
    assert.equal(parseNumber('ffffffffffffffff'), 0xffff_ffff_ffff_ffffn);
    for (const text of ['', '10000000000000000', '-1', '0x1', 'g', ' 1', undefined]) assert.equal(parseNumber(text), undefined);
    assert.equal(parseCount('ffffffff'), 0xffff_ffff);
    assert.equal(parseCount('100000000'), undefined);
    assert.equal(fromHex('abc'), undefined);
    assert.equal(fromHex('zz'), undefined);
    assert.equal(toHex(fromHex('00fF7f')!), '00ff7f');
  });

  it('takes any bytes without a throw, and the next packet after them', () => {
    const { seed, below } = randomSource();
    console.log(`      seed ${seed}`);
    const special = [0x24, 0x23, 0x2b, 0x2d, 0x7d, 0x2a, 3];
    const reader = new PacketReader(64);
    for (let round = 0; round < 5000; round++) {
      const noise = Uint8Array.from({ length: below(40) }, () => (below(2) === 0 ? special[below(special.length)]! : below(256)));
      for (const event of reader.push(noise)) if (event.kind === 'packet') assert.ok(event.data.length <= 64);
      // Two digits end whatever the noise left open; what follows is whole.
      reader.push(asciiBytes('#00'));
      assert.deepEqual(packets(reader.push(asciiBytes('$?#3f'))), ['?'], `round ${round}`);
    }
  });
});
