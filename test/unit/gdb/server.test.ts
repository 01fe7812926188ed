import assert from 'node:assert/strict';
import { asciiBytes, asciiText, frame, fromHex, toHex } from '../../../debug-adapter/gdb/packet';
import { type Connection, GdbServer } from '../../../debug-adapter/gdb/server';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { kludgeImage } from '../machine/images';
import { randomSource } from './random';

const entry = 0x10_0020n;
/** 32-bit code: mov eax, 5; mov [0x200000], eax; inc eax; mov [0x200000], eax; 1: inc ecx; jmp 1b */
const looping = Uint8Array.of(0xb8, 5, 0, 0, 0, 0xa3, 0, 0, 0x20, 0, 0x40, 0xa3, 0, 0, 0x20, 0, 0x41, 0xeb, 0xfd);
/** mov al, 7; out 0xf4, al */
const leaving = Uint8Array.of(0xb0, 7, 0xe6, 0xf4, 0xeb, 0xfe);

/** A server whose time passes when it is told to, and its client. */
class Bench {
  readonly server: GdbServer;
  connection!: Connection;
  sent = '';
  closed = false;
  ended: number | undefined;
  readonly log: string[] = [];
  #queue: (() => void)[] = [];

  constructor(code: Uint8Array) {
    const boot = () =>
      createMachine({
        image: kludgeImage(code),
        imageName: 'test',
        commandLine: '',
        memory: 4 << 20,
        cpuModel: 'default',
        jit: false,
      }).machine;
    this.server = new GdbServer({
      boot,
      // Time passes faster than it does, so that slices are short.
      host: {
        now: () => performance.now() * 8,
        later: (_, callback) => {
          this.#queue.push(callback);
          return () => (this.#queue = this.#queue.filter((each) => each !== callback));
        },
      },
      clock: 'skip',
      onEnd: (status) => (this.ended = status),
      log: (line) => this.log.push(line),
    });
    this.connect();
  }

  connect(): void {
    this.connection = this.server.connect({
      send: (bytes) => (this.sent += asciiText(bytes)),
      close: () => (this.closed = true),
    })!;
  }

  /** Runs what is due, at most so many slices. */
  turn(slices = 200): void {
    for (let i = 0; i < slices && this.#queue.length > 0; i++) this.#queue.shift()!();
  }

  /** Sends a packet and answers what came back, expanded, without framing. */
  ask(packet: string | Uint8Array): string {
    this.sent = '';
    this.connection.receive(frame(typeof packet === 'string' ? asciiBytes(packet) : packet));
    this.turn();
    return this.sent
      .replace(/^\+/, '')
      .replace(/^\$|#..$/g, '')
      .replace(/(.)\*(.)/g, (_, character: string, count: string) => character.repeat(count.charCodeAt(0) - 28));
  }
}

const rip = (reply: string): bigint => {
  const bytes = fromHex(/10:([0-9a-f]{16});/.exec(reply)![1]!)!;
  return bytes.reduceRight((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
};

describe('gdb: server', () => {
  it('tells its features and describes the registers that it sends', () => {
    const bench = new Bench(looping);
    assert.match(bench.ask('qSupported:swbreak+'), /PacketSize=20000;.*qXfer:features:read\+/);
    const xml = bench.ask('qXfer:features:read:target.xml:0,ffff');
    assert.match(xml, /^l<\?xml.*<architecture>i386:x86-64<\/architecture>/s);
    const bits = [...xml.matchAll(/bitsize="(\d+)"/g)].reduce((sum, [, size]) => sum + Number(size), 0);
    assert.equal(bench.ask('g').length / 2, bits / 8);
    let parts = '';
    for (let offset = 0; ; offset += 500) {
      const part = bench.ask(`qXfer:features:read:target.xml:${offset.toString(16)},1f4`);
      parts += part.slice(1);
      if (part.startsWith('l')) break;
    }
    assert.equal(parts, xml.slice(1));
    assert.match(bench.ask('qXfer:memory-map:read::0,fff'), /^l.*type="ram"/s);
    assert.equal(bench.ask('qXfer:features:read:other.xml:0,10'), 'E00');
    assert.equal(bench.ask('vMustReplyEmpty'), '');
  });

  it('stands at the first instruction and steps', () => {
    const bench = new Bench(looping);
    assert.equal(rip(bench.ask('?')), entry);
    assert.equal(rip(bench.ask('s')), entry + 5n);
    assert.equal(bench.ask('p0'), '0500000000000000');
    assert.equal(rip(bench.ask('vCont;s:1')), entry + 10n);
    assert.equal(rip(bench.ask(`vCont;r${entry.toString(16)},${(entry + 16n).toString(16)}:1;c`)), entry + 16n);
  });

  it('stops at breakpoints again and again, and at watched writes with the new value in place', () => {
    const bench = new Bench(looping);
    const loop = (entry + 16n).toString(16);
    assert.equal(bench.ask('Z2,200002,4'), 'OK');
    const hit = bench.ask('c');
    assert.match(hit, /^T05thread:1;watch:200002;/);
    assert.equal(rip(hit), entry + 10n);
    assert.equal(bench.ask('m200000,4'), '05000000');
    assert.equal(bench.ask('z2,200002,4'), 'OK');
    assert.equal(bench.ask(`Z0,${loop},1`), 'OK');
    for (let turn = 1; turn <= 3; turn++) {
      const reply = bench.ask('c');
      assert.match(reply, /^T05thread:1;swbreak:;/);
      assert.equal(bench.ask('p1'.replace('1', '2')), toHex(Uint8Array.of(turn - 1, 0, 0, 0, 0, 0, 0, 0)));
    }
    assert.equal(bench.ask('m200000,4'), '06000000');
  });

  it('interrupts a guest that runs, and keeps packets until it stands', () => {
    const bench = new Bench(looping);
    bench.sent = '';
    bench.connection.receive(frame(asciiBytes('c')));
    bench.turn(5);
    bench.connection.receive(frame(asciiBytes('qC')));
    bench.turn(5);
    assert.equal(bench.sent, '++');
    bench.connection.receive(Uint8Array.of(3));
    bench.turn();
    assert.match(bench.sent, /^\+\+\$T02thread:1;.*\$QC1#/);
  });

  it('writes registers and memory', () => {
    const bench = new Bench(looping);
    assert.equal(bench.ask('P3=8877665544332211'), 'OK');
    assert.equal(bench.ask('p3'), '8877665544332211');
    assert.equal(bench.ask('M200010,3:010203'), 'OK');
    assert.equal(bench.ask(Uint8Array.of(...asciiBytes('X200013,2:'), 0x7d, 0x03, 0xff)), 'OK');
    assert.equal(bench.ask('m200010,5'), '01020323ff');
    assert.equal(bench.ask('M200010,3:0102'), 'E16');
    assert.equal(bench.ask('Mffffffffffffffff,2:0102'), 'E0e');
    assert.equal(bench.ask('mfffffffffffffff0,4'), 'E0e');
    assert.equal(bench.ask('P11=ffffffff'), 'OK');
    const all = bench.ask('g');
    assert.equal(bench.ask(`G${all}`), 'OK');
    assert.equal(bench.ask('g'), all);
    assert.equal(bench.ask(`G${all.slice(2)}`), 'E16');
  });

  it('goes back by an instruction and to a breakpoint, and to the write of a watched place', () => {
    const bench = new Bench(looping);
    assert.match(bench.ask('qSupported'), /ReverseStep\+;ReverseContinue\+/);
    for (let i = 0; i < 5; i++) bench.ask('s');
    const before = bench.ask('g');
    bench.ask('s');
    assert.equal(rip(bench.ask('bs')), entry + 17n);
    assert.equal(bench.ask('g'), before);
    bench.ask('s');
    bench.ask('Z2,200000,4');
    const written = bench.ask('bc');
    assert.match(written, /^T05thread:1;watch:200000;/);
    assert.equal(rip(written), entry + 11n);
    assert.equal(bench.ask('m200000,4'), '05000000');
    bench.ask('z2,200000,4');
    bench.ask(`Z0,${(entry + 5n).toString(16)},1`);
    assert.equal(rip(bench.ask('bc')), entry + 5n);
    const start = bench.ask('bc');
    assert.match(start, /replaylog:begin;/);
    assert.equal(rip(start), entry);
    assert.match(bench.ask('bs'), /replaylog:begin;/);
    assert.match(bench.ask('c'), /swbreak/);
  });

  it("tells the guest's status, and ends when the client goes", () => {
    const bench = new Bench(leaving);
    assert.equal(bench.ask('c'), 'W0f');
    assert.equal(bench.ask('c'), 'W0f');
    assert.equal(bench.ended, undefined);
    bench.connection.closed();
    assert.equal(bench.ended, 15);
  });

  it('lets the guest go on D, ends on k, and boots anew on R', () => {
    const left = new Bench(leaving);
    assert.equal(left.ask('D'), 'OK');
    assert.ok(left.closed);
    assert.equal(left.ended, 15);

    const killed = new Bench(looping);
    killed.ask('k');
    assert.equal(killed.ended, 0);

    const again = new Bench(looping);
    assert.equal(again.ask('!'), 'OK');
    again.ask('s');
    again.ask('R00');
    assert.equal(rip(again.ask('?')), entry);
    assert.equal(rip(again.ask('vRun;')), entry);
  });

  it('stays stopped for the next client, and takes one at a time', () => {
    const bench = new Bench(looping);
    bench.ask('s');
    assert.equal(bench.server.connect({ send: () => undefined, close: () => undefined }), undefined);
    bench.connection.closed();
    bench.connect();
    assert.equal(rip(bench.ask('?')), entry + 5n);
  });

  it('answers monitor commands', () => {
    const bench = new Bench(looping);
    const monitor = (line: string): string => Buffer.from(bench.ask(`qRcmd,${toHex(asciiBytes(line))}`), 'hex').toString();
    assert.match(monitor('help'), /translate ADDRESS/);
    assert.match(monitor('info'), /32-bit code/);
    assert.match(monitor('nonsense'), /no monitor command "nonsense"/);
    assert.match(monitor('catch what'), /no exception "what"/);
    assert.match(monitor('translate 0x100000'), /physical 0x100000/);
    assert.match(monitor('translate 0xzz'), /takes an address/);
    monitor('exit');
    assert.equal(bench.ended, 0);
  });

  it('acknowledges, asks again for what was damaged, and repeats what the client did not get', () => {
    const bench = new Bench(looping);
    bench.connection.receive(asciiBytes('$qC#00'));
    assert.equal(bench.sent, '-');
    bench.sent = '';
    bench.connection.receive(asciiBytes('$qC#b4-'));
    assert.equal(bench.sent, '+$QC1#c5$QC1#c5');
    assert.equal(bench.ask('QStartNoAckMode'), 'OK');
    bench.sent = '';
    bench.connection.receive(asciiBytes('+$qC#b4'));
    assert.equal(bench.sent, '$QC1#c5');
  });

  it('survives whatever a client sends', () => {
    const { seed, below } = randomSource();
    console.log(`      seed ${seed}`);
    const seeds =
      'g|G00|p10|P10=0000100000000000|m100000,40|mffffffffffffffff,ffffffff|M100020,2:9090|X200000,2:ab|Z0,100025,1|z0,100025,1|Z2,200000,4|Z4,0,ffffffff|Z3,fffffffffffffff0,20|c|s|C05|S05;100020|vCont;c|vCont;s:1;c:p-1.-1|vCont;r100020,100040|vCont?|bs|bc|qSupported|qRcmd,68656c70|qXfer:features:read:target.xml:0,ffffffff|qXfer:memory-map:read::5,3|qfThreadInfo|qThreadExtraInfo,1|Hg1|T1|?|!|R00|vRun;|QStartNoAckMode|qOffsets|qSymbol::|s100020|c0'.split(
        '|',
      );
    let bench = new Bench(looping);
    for (let round = 0; round < 400; round++) {
      const text = [...seeds[below(seeds.length)]!];
      for (let edits = below(3); edits > 0 && text.length > 0; edits--) {
        const at = below(text.length);
        if (below(2) === 0) text[at] = String.fromCharCode(below(256));
        else text.splice(at, 1 + below(3));
      }
      bench.connection.receive(frame(asciiBytes(text.join(''))));
      bench.turn(3);
      if (below(3) === 0) bench.connection.receive(Uint8Array.of(3));
      bench.turn(2);
      if (bench.closed || bench.ended !== undefined) bench = new Bench(looping);
    }
    // Packets that came while it ran may each set it off again; a way back that is broken off ends where it set out.
    for (let turns = 0; bench.server.debuggee.execution.running; turns++) {
      assert.ok(turns < 10_000, 'the guest cannot be stopped');
      bench.connection.receive(Uint8Array.of(3));
      bench.turn();
    }
    if (!bench.closed && bench.ended === undefined) assert.match(bench.ask('?'), /^[TOW]/);
  });
});
