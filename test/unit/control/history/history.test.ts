/** Time travel on a kernel of a few instructions: every moment gone to is the one that the forward run had, whatever is kept, typed or edited. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { type DebuggerEvent, type LaunchOptions } from '../../../../debug-adapter/control/api';
import { Debugger } from '../../../../debug-adapter/control/debugger';
import { complete, History } from '../../../../debug-adapter/control/history/history';
import { PageHash, pageBytes } from '../../../../debug-adapter/control/history/page-hash';
import { leastUseful } from '../../../../debug-adapter/control/history/schedule';
import { lastBefore } from '../../../../debug-adapter/control/history/search';
import { decodeSession, describeLaunch, encodeSession, repeatSession } from '../../../../debug-adapter/control/history/session-file';
import { type PcMachine } from '../../../../debug-adapter/machine/machine';
import { createMachine } from '../../../../debug-adapter/machine/pc';
import { kludgeImage } from '../../machine/images';

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));
const seeks = Number(process.env['SEEKS'] ?? 40);
const length = Number(process.env['INSTRUCTIONS'] ?? 6_000_000);

/** Fills 16 KiB after another with sums, sends a byte that depends on them, reads the clock, and goes on for ever. */
const code = Uint8Array.from(
  `31 c0 bf 00 00 20 00
   b9 00 10 00 00
   89 04 8f 01 c8 49 75 f8
   89 c3 66 ba f8 03 24 1f 04 40 ee
   0f 31 01 d8
   81 c7 00 40 00 00 81 e7 ff ff 7f 00 81 cf 00 00 20 00
   eb cc`
    .trim()
    .split(/\s+/)
    .map((byte) => parseInt(byte, 16)),
);
/** Instructions from one byte of output to the next, and up to the first. */
const round = 4 * 4096 + 12;

const boot = (): PcMachine =>
  createMachine({ image: kludgeImage(code), imageName: 'sums', commandLine: '', memory: 16 << 20, cpuModel: 'default' }).machine;

const noTime = { now: () => 0 };

function generator(): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

interface Session {
  readonly machine: PcMachine;
  readonly history: History;
  readonly output: number[];
}

function session(budget?: number): Session {
  const machine = boot();
  const history = new History(machine, { ...noTime, ...(budget === undefined ? {} : { budget }) });
  const output: number[] = [];
  machine.onConsoleOutput = (bytes) => {
    history.wrote(bytes);
    output.push(...bytes);
  };
  return { machine, history, output };
}

/** Runs forward with a checkpoint every so often, or none. */
function forward({ machine, history }: Session, to: number, every = 700_000): void {
  while (history.position < to) {
    const reason = machine.run(BigInt(Math.min(to, history.position + every)));
    history.ran(reason);
    if (history.position < to) history.take();
  }
}

describe(`time travel (SEED=${seed})`, () => {
  it('comes to states that hash as the forward run did', () => {
    const next = generator();
    const it = session();
    const moments = Array.from({ length: seeks }, () => Math.floor(next() * length)).sort((a, b) => a - b);
    const hashes = new Map<number, bigint>();
    for (const moment of moments) {
      forward(it, moment);
      // What comes from outside is part of the past: keys and a debugger's edits, a few of them.
      if (next() < 0.2) it.machine.consoleInput(Uint8Array.of(65 + Math.floor(next() * 26)));
      if (next() < 0.2)
        it.machine.edit({ kind: 'memory', physical: 0xc0_0000 + Math.floor(next() * 0x1_0000), bytes: Uint8Array.of(1, 2, 3) });
      if (next() < 0.1) it.machine.edit({ kind: 'register', name: 'rbx', value: BigInt(Math.floor(next() * 2 ** 32)) });
      if (next() < 0.2) {
        const bytes = it.machine.cpu.getWideRegister(next() < 0.5 ? 'st0' : 'xmm3')!.map(() => Math.floor(next() * 256));
        assert.ok(it.machine.edit({ kind: 'wideRegister', name: bytes.length === 10 ? 'st0' : 'xmm3', bytes }));
      }
      hashes.set(moment, it.machine.hash());
    }
    forward(it, length);
    assert.equal(it.history.end, length);
    for (const moment of [...hashes.keys()].sort(() => next() - 0.5)) {
      complete(it.history.seek(moment));
      assert.equal(it.history.position, moment);
      assert.equal(it.machine.hash(), hashes.get(moment), `the state at ${moment}`);
    }
  });

  it('keeps within its budget and stays exact', () => {
    const budget = 8 << 20;
    const it = session(budget);
    forward(it, 1_000_000, 300_000);
    const hash = it.machine.hash();
    forward(it, 10_000_000, 300_000);
    const { length: kept } = it.history.info.checkpoints;
    assert.ok(kept > 2 && kept < 30, `${kept} checkpoints`);
    assert.ok(it.history.info.memory <= budget, `${it.history.info.memory} bytes`);
    complete(it.history.seek(1_000_000));
    assert.equal(it.machine.hash(), hash);
    assert.ok(it.history.info.memory <= budget + (1 << 17), `${it.history.info.memory} bytes`);
  });

  it('begins later where what reached the machine takes too much memory, and is exact from there on', () => {
    const budget = 24 << 20;
    const next = generator();
    const it = session(budget);
    const hashes = new Map<number, bigint>();
    const starts: number[] = [];
    // Frames of a busy network, as far as the machine can tell.
    for (let moment = 0; moment < 24_000_000; moment += 600_000) {
      for (let frame = 0; frame < 200; frame++) {
        forward(it, moment + frame * 3000 + Math.floor(next() * 3000));
        it.machine.input('com1', new Uint8Array(4000).fill(frame));
        if (frame === 100) hashes.set(it.history.position, it.machine.hash());
      }
      it.history.take();
      starts.push(it.history.start);
      assert.ok(it.history.info.memory <= budget, `${it.history.info.memory} bytes at ${moment}`);
    }
    const { start, end, checkpoints, journalEntries } = it.history.info;
    assert.ok(start > 12_000_000 && start < 20_000_000, `begins at ${start}`);
    assert.deepEqual(
      starts,
      starts.toSorted((one, other) => one - other),
    );
    assert.ok(checkpoints.length > 2 && journalEntries < 4000, `${checkpoints.length} checkpoints, ${journalEntries} entries`);
    const kept = [...hashes.keys()].filter((moment) => moment >= start);
    assert.ok(kept.length > 2);
    for (const moment of kept.sort(() => next() - 0.5)) {
      complete(it.history.seek(moment));
      assert.equal(it.machine.hash(), hashes.get(moment), `the state at ${moment}`);
    }
    complete(it.history.seek(start));
    assert.throws(() => complete(it.history.seek(start - 1)), { code: 'history-before' });
    complete(it.history.seek(end));
    assert.ok(!it.history.inPast);
  });

  it('does not send console output again', () => {
    const it = session();
    forward(it, 20 * round);
    const sent = it.output.length;
    assert.ok(sent >= 19);
    complete(it.history.seek(3));
    assert.ok(it.history.inPast);
    it.machine.run(BigInt(20 * round));
    assert.equal(it.output.length, sent);
    it.machine.run(BigInt(22 * round));
    assert.equal(it.output.length, sent + 2);
  });

  it('finds the instruction that wrote a byte of the output', () => {
    const it = session();
    forward(it, 30 * round, 5 * round);
    for (const offset of [0, 7, it.output.length - 1]) {
      complete(it.history.seek(complete(it.history.findOutput(offset))));
      const { cpu } = it.machine;
      assert.equal(cpu.readMemory(cpu.getRegister('rip')!, 1)[0], 0xee, 'stands at the OUT');
      assert.equal(Number(cpu.getRegister('rax')! & 0xffn), it.output[offset]);
    }
    assert.throws(() => complete(it.history.findOutput(it.output.length)), { code: 'history-output' });
  });

  it('drops the future when the past is changed', () => {
    const it = session();
    forward(it, 3_000_000);
    complete(it.history.seek(1_500_000));
    assert.equal(it.history.futureDropped(), false);
    it.machine.edit({ kind: 'register', name: 'rax', value: 7n });
    assert.equal(it.history.futureDropped(), true);
    assert.equal(it.history.end, 1_500_000);
    assert.ok(it.history.info.checkpoints.every((at) => at <= 1_500_000));
    assert.throws(() => complete(it.history.seek(1_500_001)), { code: 'history-ahead' });
    forward(it, 2_000_000);
    const hash = it.machine.hash();
    complete(it.history.seek(100));
    complete(it.history.seek(2_000_000));
    assert.equal(it.machine.hash(), hash, 'the new future has the edit in it');
  });

  it('finds the last write of a place, and no later one', () => {
    const it = session();
    forward(it, 40 * round, 3 * round);
    const address = 0x20_0000n + 0x4000n * 10n + 0x400n;
    it.machine.cpu.setWatchpoints([{ id: 5, address, length: 4, access: 'write' }]);
    const found = complete(
      lastBefore(it.history, it.history.position, (reason) => (reason.kind === 'watch' ? reason.hits[0]!.id : undefined)),
    );
    assert.equal(found?.what, 5);
    assert.ok(found.at > 10 * round && found.at < 11 * round, String(found.at));
    complete(it.history.seek(found.at + 1));
    const { cpu } = it.machine;
    assert.notEqual(cpu.readMemory(address, 4).join(), '0,0,0,0');
    complete(it.history.seek(found.at));
    assert.equal(cpu.readMemory(address, 4).join(), '0,0,0,0', 'stands before the write');
    assert.equal(complete(lastBefore(it.history, found.at, (reason) => (reason.kind === 'watch' ? 1 : undefined))), undefined);
  });

  it('leaves the present as it was when the way back is prepared, also halfway', () => {
    const it = session();
    forward(it, 3_000_000, 3_000_000);
    const hash = it.machine.hash();
    complete(it.history.prepare());
    assert.equal(it.machine.hash(), hash);
    assert.ok(it.history.info.checkpoints.some((at) => at > 2_700_000 && at < 3_000_000));
    forward(it, 6_000_000, 3_000_000);
    const later = it.machine.hash();
    const journey = it.history.prepare();
    journey.next();
    journey.return();
    assert.equal(it.machine.hash(), later);
    assert.equal(it.history.position, 6_000_000);
  });

  it('goes back after the guest ended its run', () => {
    // Writes 0x31 to the debug exit port after some steps.
    const ending = kludgeImage(Uint8Array.of(0x31, 0xc0, 0x40, 0x40, 0xb0, 0x31, 0xe6, 0xf4, 0xeb, 0xfe));
    const make = (): PcMachine =>
      createMachine({ image: ending, imageName: 'end', commandLine: '', memory: 16 << 20, cpuModel: 'default' }).machine;
    const machine = make();
    const history = new History(machine, { ...noTime });
    machine.run(2n);
    const hash = machine.hash();
    history.ran(machine.run(1000n));
    assert.equal(machine.run(1000n).kind, 'exit');
    complete(history.seek(2));
    assert.equal(machine.hash(), hash);
    assert.equal(machine.run(1000n).kind, 'exit');
  });
});

describe('a saved session', () => {
  const launch = describeLaunch({
    image: kludgeImage(code),
    imageName: '/somewhere/sums',
    commandLine: '',
    memory: 16 << 20,
    cpuModel: 'default',
  });

  function saved(): { it: Session; bytes: Uint8Array; hash: bigint } {
    const it = session();
    forward(it, 500_000);
    it.machine.consoleInput(Uint8Array.of(72, 73));
    forward(it, 900_000);
    it.machine.edit({ kind: 'register', name: 'rbx', value: 99n });
    forward(it, 1_200_000);
    const hash = it.machine.hash();
    const state = it.machine.save();
    return {
      it,
      hash,
      bytes: encodeSession({ launch, journal: it.machine.journal, end: 1_200_000, position: 1_000_000, hash, state }),
    };
  }

  it('happens again on another machine', () => {
    const { bytes, hash } = saved();
    const other = session();
    assert.equal(complete(repeatSession(other.machine, decodeSession(bytes), launch, () => other.history.ran({ kind: 'limit' }))), true);
    assert.equal(other.machine.hash(), hash);
    assert.equal(other.history.end, 1_200_000);
    complete(other.history.seek(700_000));
    assert.ok(other.history.inPast);
  });

  it('is refused for another launch, and where it is damaged', () => {
    const { bytes } = saved();
    const others = {
      ...launch,
      image: 1n,
      commandLine: 'a',
      memory: 32 << 20,
      disks: [{ contents: 1n, readOnly: false }],
      devices: ['rng'],
    };
    assert.throws(() => complete(repeatSession(boot(), decodeSession(bytes), others, () => undefined)), {
      code: 'session-launch',
      message:
        /other contents.*command line was none, and is "a".*memory was 16 MiB, and is 32.*had 0 disks, and there are 1.*devices were none, and are "rng"/,
    });
    assert.throws(() => decodeSession(new Uint8Array(0)), { code: 'session-file' });
    const next = generator();
    for (let i = 0; i < 300; i++) {
      const damaged = bytes.slice(0, i < 100 ? Math.floor(next() * bytes.length) : bytes.length);
      for (let k = 0; k < 4 && i >= 100; k++) damaged[Math.floor(next() * 400)] = Math.floor(next() * 256);
      try {
        decodeSession(damaged);
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'session-file', String(error));
      }
    }
  });

  it('gives its last state where the emulator runs another way', () => {
    const { it, bytes, hash } = saved();
    const session = decodeSession(bytes);
    const other = boot();
    assert.equal(complete(repeatSession(other, { ...session, journal: [], hash: session.hash }, launch, () => undefined)), false);
    assert.equal(other.hash(), hash);
    assert.equal(it.machine.hash(), hash);
  });

  it('gives its last state where its beginning was not kept', () => {
    const { bytes, hash } = saved();
    const session = decodeSession(encodeSession({ ...decodeSession(bytes), start: 700_000 }));
    assert.equal(session.start, 700_000);
    const other = boot();
    assert.equal(complete(repeatSession(other, session, launch, () => undefined)), false);
    assert.equal(other.hash(), hash);
    assert.throws(() => decodeSession(encodeSession({ ...session, start: -1 })), { code: 'session-file' });
  });
});

describe('the debugger’s sessions', () => {
  const options = (): LaunchOptions => ({
    imageName: 'sums',
    image: kludgeImage(code),
    commandLine: '',
    memory: 16 << 20,
    cpuModel: 'default',
    clock: 'skip',
    stopOnEntry: true,
    stopAtEnd: 'never',
    trace: [],
    sourceMap: [],
  });

  async function launched(): Promise<{ it: Debugger; stopped(work: () => void): Promise<DebuggerEvent & { kind: 'stopped' }> }> {
    let tell: ((event: DebuggerEvent & { kind: 'stopped' }) => void) | undefined;
    const host = {
      now: () => performance.now(),
      later: (milliseconds: number, callback: () => void) => {
        const timer = setTimeout(callback, milliseconds);
        return () => clearTimeout(timer);
      },
    };
    const it = new Debugger(boot, host, (event) => {
      if (event.kind === 'stopped') tell?.(event);
    });
    await it.launch(options());
    return {
      it,
      stopped: (work) =>
        new Promise((resolve) => {
          tell = resolve;
          work();
        }),
    };
  }

  it('go to a file and come out of it on another debugger', async () => {
    const { it: first, stopped } = await launched();
    await stopped(() => first.start());
    await stopped(() => {
      first.resume();
      setTimeout(() => first.pause(), 50);
    });
    await stopped(() => first.seek({ instruction: 1000 }));
    const bytes = first.saveSession();
    const status = first.history();
    assert.ok(status.inPast && status.position === 1000 && status.end > 1000);
    await first.terminate();

    const { it: second, stopped: stoppedAgain } = await launched();
    assert.throws(() => second.openSession(new Uint8Array(9)), { code: 'session-file' });
    const { reason, description } = await stoppedAgain(() => second.openSession(bytes));
    assert.equal(reason, 'goto');
    assert.equal(description, 'in the past');
    assert.equal(second.history().end, status.end);
    // A journey can be broken off: the guest is where it was.
    const { reason: why } = await stoppedAgain(() => {
      second.seek({ instruction: status.end });
      second.pause();
    });
    assert.equal(why, 'pause');
    assert.equal(second.history().position, 1000);
    await second.terminate();
  });
});

describe('page hashes', () => {
  it('tell every changed word, and zeros from all else', () => {
    const machine = boot();
    const hash = new PageHash(machine.ram, machine.memory);
    const zeros = PageHash.ofZeros();
    const page = 900;
    assert.ok(hash.same(page, zeros, 0));
    const next = generator();
    const table = new Int32Array(4);
    const words = new Uint32Array(machine.ram.buffer, machine.ram.byteOffset + page * pageBytes, pageBytes / 4);
    for (let i = 0; i < words.length; i++) words[i] = Math.floor(next() * 2 ** 32);
    hash.same(page, table, 0);
    hash.copy(table, 0);
    assert.ok(hash.same(page, table, 0));
    for (let i = 0; i < words.length; i++) {
      const bit = 1 << Math.floor(next() * 32);
      words[i]! ^= bit;
      assert.ok(!hash.same(page, table, 0), `word ${i}`);
      // Two flips a turn apart must not cancel out.
      words[(i + 16) % words.length]! ^= bit;
      assert.ok(!hash.same(page, table, 0), `words ${i} and ${i + 16}`);
      words[(i + 16) % words.length]! ^= bit;
      words[i]! ^= bit;
    }
    assert.ok(hash.same(page, table, 0));

    words.fill(0);
    const end = page + 40;
    assert.equal(hash.skipZeros(page, end), end);
    assert.equal(hash.skipZeros(page, page), page);
    for (let i = 0; i < words.length; i++) {
      const later = page + (i % 39);
      const at = machine.ram.byteOffset + later * pageBytes + i * 4;
      new DataView(machine.ram.buffer).setUint32(at, 1 << Math.floor(next() * 32));
      assert.equal(hash.skipZeros(page, end), later, `word ${i}`);
      assert.equal(hash.skipZeros(page, later), later, `before word ${i}`);
      new DataView(machine.ram.buffer).setUint32(at, 0);
    }
  });
});

describe('thinning', () => {
  const list = (...at: number[]): Parameters<typeof leastUseful>[0] =>
    at.map((each) => ({ at: each, cursor: 0, core: new Uint8Array(0), pages: new Map(), full: false }));

  it('gives up what is close to its neighbours and far away', () => {
    assert.equal(leastUseful(list(0, 10, 11, 12, 500, 900), 100, 50, 1000), 2);
    assert.equal(leastUseful(list(0, 10, 500, 900), 10, 50, 1000), undefined);
    assert.equal(leastUseful(list(0, 900), 100, 50, 1000), 1);
    assert.equal(leastUseful(list(0), 100, 50, 1000), undefined);
  });
});

describe('time travel on real images', () => {
  const folder = path.join(process.env['UNIKERNEL_SUITES'] ?? '', 'images');
  for (const [name, end] of [
    ['hello-qemu', 60_000],
    ['hello-spin', 3_000_000],
    ['hello-test', 10_000_000],
  ] as const) {
    it(`${name} repeats exactly`, function () {
      const file = path.join(folder, name);
      if (process.env['UNIKERNEL_SUITES'] === undefined || !existsSync(file)) {
        console.log(`    skipped: no ${name} (UNIKERNEL_SUITES names no folder with images/${name})`);
        this.skip();
      }
      const image = new Uint8Array(readFileSync(file));
      const make = (): PcMachine =>
        createMachine({ image, imageName: name, commandLine: '', memory: 64 << 20, cpuModel: 'default' }).machine;
      const machine = make();
      const history = new History(machine, { now: () => performance.now() });
      const next = generator();
      const hashes = new Map<number, bigint>();
      const moments = Array.from({ length: 12 }, () => Math.floor(next() * end)).sort((a, b) => a - b);
      for (const moment of moments) {
        while (history.position < moment) {
          const reason = machine.run(BigInt(moment));
          history.ran(reason);
          if (reason.kind === 'idle') machine.skipIdle();
          else if (reason.kind !== 'limit') assert.fail(`${reason.kind} at ${history.position}`);
        }
        machine.run(BigInt(moment));
        hashes.set(moment, machine.hash());
      }
      for (const moment of [...hashes.keys()].sort(() => next() - 0.5)) {
        complete(history.seek(moment));
        assert.equal(machine.hash(), hashes.get(moment), `the state at ${moment}`);
      }
    });
  }
});
