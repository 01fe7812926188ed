import assert from 'node:assert/strict';
import { assembleMachine } from '../../../debug-adapter/machine/assemble';
import { MachineError } from '../../../debug-adapter/machine/api';
import { type PcMachine } from '../../../debug-adapter/machine/machine';
import { FakeCpu, type Step } from './fake-cpu';
import { kludgeImage } from './images';

const MiB = 1 << 20;

interface Rig {
  readonly machine: PcMachine;
  readonly cpu: FakeCpu;
  readonly console: string[];
}

function rig(script: readonly Step[], shorten = true): Rig {
  let cpu: FakeCpu | undefined;
  const { machine } = assembleMachine(
    { image: kludgeImage(), imageName: 'test', commandLine: '', memory: 4 * MiB, cpuModel: 'default' },
    (parts) => (cpu = new FakeCpu(parts.bus, parts.memory, script, shorten)),
  );
  const console: string[] = [];
  machine.onConsoleOutput = (bytes) => console.push(Buffer.from(bytes).toString());
  return { machine, cpu: cpu!, console };
}

/** Runs on through idle stops, without letting time pass. */
function runTo(machine: PcMachine, count: bigint): void {
  while (machine.run(count).kind !== 'limit');
}

/** Initialises the interrupt controllers as Unikraft does, and the PIT to `hertz`. */
function setUpTimer(cpu: FakeCpu, count: number): void {
  const out = (port: number, value: number): void => cpu.bus.portWrite(port, 1, value);
  out(0x20, 0x11);
  out(0x21, 0x20);
  out(0x21, 4);
  out(0x21, 1);
  out(0xa0, 0x11);
  out(0xa1, 0x28);
  out(0xa1, 2);
  out(0xa1, 1);
  out(0x21, 0xb8);
  out(0xa1, 0x8e);
  out(0x43, 0x34);
  out(0x40, count & 0xff);
  out(0x40, count >> 8);
}

describe('machine', () => {
  it('stops exactly at the limit', () => {
    const { machine, cpu } = rig([() => undefined]);
    assert.deepEqual(machine.run(12_345n), { kind: 'limit' });
    assert.equal(cpu.retired, 12_345n);
  });

  for (const shorten of [true, false]) {
    it(`delivers timer interrupts at the same counts however the run is cut (${shorten ? 'shortened budgets' : 'requested stops'})`, () => {
      const counts = (cuts: readonly bigint[]): readonly bigint[] => {
        const { machine, cpu } = rig([(c) => c.bus.portRead(0x80, 1), () => undefined, () => undefined], shorten);
        setUpTimer(cpu, 1193);
        for (const cut of cuts) machine.run(cut);
        return cpu.delivered.filter((d) => d.vector === 0x20).map((d) => d.at);
      };
      const whole = counts([20_000n]);
      // 3 instructions and one port access (2000 ticks) take 2006 ticks; a millisecond is 2 million ticks.
      assert.ok(whole.length >= 5, `${whole.length} ticks`);
      assert.ok(Math.abs(Number(whole[1]! - whole[0]!) - (2_000_000 / 2006) * 3) < 12, `${whole.join(' ')}`);
      assert.deepEqual(counts([1n, 7n, 999n, 3000n, 3001n, 3002n, 10_000n, 20_000n]), whole);
    });
  }

  it('is idle until the next timer when halted, and skips to it', () => {
    const { machine, cpu } = rig(['hlt']);
    setUpTimer(cpu, 11_932);
    const first = machine.run(100n);
    assert.equal(first.kind, 'idle');
    const { until } = first as { until: number };
    assert.ok(until >= 9_999_000 && until < 10_100_000, `${until}`);
    machine.skipIdle();
    assert.equal(machine.clock.now(), until);
    machine.run(100n);
    assert.equal(cpu.delivered.length, 1);
  });

  it('is dead when halted with interrupts off', () => {
    const { machine } = rig([(c) => void (c.interruptsEnabled = false), 'hlt']);
    assert.deepEqual(machine.run(100n), { kind: 'dead' });
  });

  it('counts a console poll as idle, sleeps longer while it goes on, and wakes by input', () => {
    let read = 0;
    const { machine, cpu } = rig([(c) => (c.bus.portRead(0x3fd, 1) & 1) !== 0 && (read = c.bus.portRead(0x3f8, 1))]);
    const spans: number[] = [];
    for (let i = 0; i < 6; i++) {
      const reason = machine.run(10_000n);
      assert.equal(reason.kind, 'idle');
      spans.push((reason as { until: number }).until - machine.clock.now());
      machine.skipIdle();
    }
    assert.deepEqual(spans, [1e6, 2e6, 4e6, 8e6, 16e6, 16e6]);
    assert.ok(cpu.retired <= 6n * 33n);
    machine.consoleInput(Uint8Array.of(0x41));
    assert.equal(machine.run(cpu.retired + 5n).kind, 'limit');
    assert.equal(read, 0x41);
  });

  it('gives console output when the run returns', () => {
    const { machine, console } = rig([(c) => c.bus.portWrite(0x3f8, 1, 0x68), (c) => c.bus.portWrite(0x3f8, 1, 0x69)]);
    machine.run(4n);
    assert.equal(console.join(''), 'hihi');
  });

  it('reports how the guest ended, and keeps to it', () => {
    const off = rig([(c) => c.bus.portWrite(0x604, 2, 0x2000)]).machine;
    assert.deepEqual(off.run(9n), { kind: 'exit', exit: { kind: 'powerOff' } });
    assert.deepEqual(off.run(9n), { kind: 'exit', exit: { kind: 'powerOff' } });
    assert.deepEqual(rig([(c) => c.bus.portWrite(0x501, 2, 42)]).machine.run(9n), { kind: 'exit', exit: { kind: 'exitPort', value: 42 } });
    assert.deepEqual(rig([(c) => c.bus.portWrite(0x64, 1, 0xfe)]).machine.run(9n), { kind: 'exit', exit: { kind: 'reset' } });
    assert.deepEqual(rig([(c) => c.bus.portWrite(0xcf9, 1, 6)]).machine.run(9n), { kind: 'exit', exit: { kind: 'reset' } });
  });

  it('replays recorded input at the same counts, to the same hash, and keeps quiet meanwhile', () => {
    const script: Step[] = [
      (c) => {
        if ((c.bus.portRead(0x3fd, 1) & 1) === 0) return;
        c.bus.portWrite(0x3f8, 1, c.bus.portRead(0x3f8, 1));
      },
      (c) => c.bus.portRead(0x40, 1),
    ];
    const { machine, cpu, console } = rig(script);
    cpu.settle();
    const start = machine.save();
    runTo(machine, 11n);
    machine.consoleInput(Buffer.from('ab'));
    runTo(machine, 100n);
    machine.consoleInput(Buffer.from('c'));
    runTo(machine, 500n);
    cpu.settle();
    const hash = machine.hash();
    const said = console.join('');
    assert.equal(said, 'abc');

    machine.restore(start);
    assert.equal(cpu.retired, 0n);
    assert.ok(machine.replaying);
    for (let at = 50n; at <= 500n; at += 50n) {
      runTo(machine, at);
      cpu.settle();
    }
    assert.equal(machine.hash(), hash);
    assert.equal(console.join(''), said);
    assert.ok(!machine.replaying);
  });

  it('a different input gives a different hash', () => {
    const hashAfter = (text: string): bigint => {
      const { machine, cpu } = rig([() => undefined]);
      machine.consoleInput(Buffer.from(text));
      machine.run(10n);
      cpu.settle();
      return machine.hash();
    };
    assert.equal(hashAfter('x'), hashAfter('x'));
    assert.notEqual(hashAfter('x'), hashAfter('y'));
  });

  it('forgets the future when something new happens in the past', () => {
    const { machine, cpu } = rig([() => undefined]);
    cpu.settle();
    const start = machine.save();
    machine.run(10n);
    machine.consoleInput(Buffer.from('x'));
    machine.restore(start);
    assert.equal(machine.journal.length, 1);
    machine.edit({ kind: 'memory', physical: 0x5000, bytes: Uint8Array.of(1, 2) });
    assert.deepEqual(
      machine.journal.map((entry) => entry.kind),
      ['memory'],
    );
    assert.equal(machine.ram[0x5001], 2);
    assert.ok(!machine.replaying);
  });

  it('keeps nothing of what comes from outside where nobody will ask for the past', () => {
    const { machine } = rig([() => undefined]);
    machine.keepsJournal = false;
    machine.consoleInput(Buffer.from('x'));
    assert.equal(machine.edit({ kind: 'memory', physical: 0x5000, bytes: Uint8Array.of(1) }), true);
    assert.equal(machine.ram[0x5000], 1);
    assert.equal(machine.journal.length, 0);
    assert.ok(!machine.replaying);
  });

  it('refuses edits outside memory', () => {
    const { machine } = rig([]);
    assert.equal(machine.edit({ kind: 'memory', physical: 4 * MiB - 1, bytes: Uint8Array.of(1, 2) }), false);
    assert.equal(machine.journal.length, 0);
  });

  it('refuses damaged snapshots without changing anything', () => {
    const { machine, cpu } = rig([() => undefined]);
    machine.run(5n);
    cpu.settle();
    const good = machine.save();
    const hash = machine.hash();
    for (const bad of [
      new Uint8Array(0),
      good.slice(0, 100),
      good.slice(0, good.length - 9),
      Uint8Array.from(good, (b, i) => (i === 0 ? b ^ 1 : b)),
      Uint8Array.from(good, (b, i) => (i === 4 ? 9 : b)),
    ]) {
      assert.throws(() => machine.restore(bad), MachineError);
      assert.equal(machine.hash(), hash);
    }
    machine.restore(good);
    assert.equal(machine.hash(), hash);
  });

  it('refuses a memory size that it cannot give', () => {
    for (const memory of [0, MiB, 1.5 * MiB, 4096 * MiB, -MiB]) {
      assert.throws(
        () => assembleMachine({ image: kludgeImage(), imageName: 'test', commandLine: '', memory, cpuModel: 'min' }, () => assert.fail()),
        /memory/,
      );
    }
  });
});
