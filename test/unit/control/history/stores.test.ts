/**
 * Stores that the processor tells of before they happen, and checkpoints that rest on that: guests run with every tier, by random schedules, against copies of all memory and the states of a run that only
 * went forward. SEED repeats a run, ROUNDS sets how many there are of each guest and tier.
 */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { complete, History } from '../../../../debug-adapter/control/history/history';
import { type PcMachine } from '../../../../debug-adapter/machine/machine';
import { createMachine } from '../../../../debug-adapter/machine/pc';
import { touchedPagesOf } from '../../../../debug-adapter/touched-pages.node';
import { image as example } from '../../../dap/golden';
import { Random, seedOf } from '../../../lockstep/random';
import { kludgeImage } from '../../machine/images';

const rounds = Number(process.env['ROUNDS'] ?? 3);
const pageBytes = 4096;
const suites = process.env['UNIKERNEL_SUITES'];

/** Fills some words of one page after another, each time changes how many it will be, which is a byte of its own code, and moves some across the end of the page. */
const restless = Uint8Array.from(
  `31 c0 bf 00 00 20 00
   b9 00 04 00 00
   89 04 8f 01 c8 49 75 f8
   a2 28 00 10 00
   8d 77 f9 57 81 c7 fb 0f 00 00 b9 03 00 00 00 f3 a5 5f
   81 c7 00 10 00 00 81 e7 ff ff 3f 00 81 cf 00 00 20 00
   eb c8`
    .trim()
    .split(/\s+/)
    .map((byte) => parseInt(byte, 16)),
);

interface Guest {
  readonly name: string;
  readonly image: Uint8Array;
  readonly end: number;
  /** MiB; 16 by default. */
  readonly memory?: number;
  readonly initrd?: Uint8Array;
  readonly commandLine?: string;
}

const guests: Guest[] = [{ name: 'a kernel that changes its code', image: kludgeImage(restless), end: 1_500_000 }];
const files: readonly (readonly [file: string, end: number])[] = [
  [example, 300_000],
  ...(suites === undefined ? [] : [[path.join(suites, 'images/hello-qemu'), 60_000] as const]),
];
for (const [file, end] of files)
  if (existsSync(file)) guests.push({ name: path.basename(file), image: new Uint8Array(readFileSync(file)), end });

/** Unmodified programs: they are mapped page by page as they touch them, and make system calls. */
for (const [program, end] of [
  ['hello', 900_000],
  ['threads', 1_500_000],
] as const) {
  const [image, initrd] =
    suites === undefined ? [] : ['elfloader', `initrd/${program}.cpio`].map((name) => path.join(suites, 'images', name));
  if (image === undefined || initrd === undefined || !existsSync(image) || !existsSync(initrd)) {
    console.log(
      `SKIPPED: stores of ${program} on the ELF loader: set UNIKERNEL_SUITES to a folder with images/elfloader and images/initrd/${program}.cpio`,
    );
    continue;
  }
  const [bytes, disk] = [image, initrd].map((file) => new Uint8Array(readFileSync(file)));
  const commandLine = `vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ] -- /${program}`;
  guests.push({ name: `elfloader, ${program}`, image: bytes!, end, memory: 64, initrd: disk!, commandLine });
}

const tiers = [false, true, 'eager'] as const;

const boot = ({ image, name, memory = 16, initrd, commandLine = '' }: Guest, jit: boolean | 'eager'): PcMachine =>
  createMachine({ image, imageName: name, commandLine, memory: memory << 20, cpuModel: 'default', jit, ...(initrd && { initrd }) }).machine;

/** Runs to `moment`, or to the guest's end. */
function run(machine: PcMachine, moment: number): boolean {
  while (machine.cpu.retiredCount < moment) {
    const { kind } = machine.run(BigInt(moment));
    if (kind === 'idle') machine.skipIdle();
    else if (kind !== 'limit') return false;
  }
  return true;
}

describe('the first store to each page', () => {
  for (const guest of guests)
    for (const jit of tiers)
      it(`is told of before it happens: ${guest.name}, ${jit === false ? 'interpreted' : jit === true ? 'translated' : 'all translated'}`, () => {
        const seed = seedOf('stores');
        const r = new Random(seed);
        let told = 0;
        for (let round = 0; round < rounds; round++) {
          const machine = boot(guest, jit);
          const { ram } = machine;
          let before = ram.slice();
          let pages = new Set<number>();
          let isLost = false;
          const same = (page: number): boolean =>
            Buffer.compare(
              before.subarray(page * pageBytes, (page + 1) * pageBytes),
              ram.subarray(page * pageBytes, (page + 1) * pageBytes),
            ) === 0;
          const follow = (): boolean =>
            machine.cpu.followStores({
              firstStore: (page) => {
                assert.ok(!isLost && !pages.has(page), `SEED=${seed}: page ${page} once`);
                assert.ok(same(page), `SEED=${seed}: page ${page} as it was`);
                pages.add(page);
                told++;
              },
              lost: () => (isLost = true),
            });
          while (machine.cpu.retiredCount < guest.end) {
            pages = new Set();
            isLost = !follow();
            before = ram.slice();
            const goesOn = run(machine, machine.cpu.retiredCount + 1 + r.below(guest.end / 5));
            if (r.oneIn(3))
              machine.edit({ kind: 'memory', physical: r.below(ram.length - 8000), bytes: new Uint8Array(r.below(8000)).fill(7) });
            if (r.oneIn(3)) machine.cpu.writeMemory(BigInt(0x60_0000 + r.below(0x1000)), new Uint8Array(r.below(8000)).fill(9));
            for (let page = 0; page < ram.length / pageBytes; page++)
              assert.ok(isLost || pages.has(page) || same(page), `SEED=${seed}: page ${page} changed by ${machine.cpu.retired}`);
            if (!goesOn) break;
          }
        }
        assert.ok(told > 0);
      }).timeout(120_000);
});

describe('checkpoints by random schedules', () => {
  for (const guest of guests)
    for (const jit of tiers)
      it(`lead to the states of a run forward: ${guest.name}, ${jit === false ? 'interpreted' : jit === true ? 'translated' : 'all translated'}`, () => {
        const seed = seedOf('schedules');
        const r = new Random(seed);
        const moments = Array.from({ length: 24 }, () => r.below(guest.end)).sort((one, other) => one - other);
        const hashes = new Map<number, bigint>();
        const plain = boot(guest, false);
        for (const moment of moments) if (run(plain, moment)) hashes.set(moment, plain.hash());
        const known = [...hashes.keys()];
        for (let round = 0; round < rounds; round++) {
          const machine = boot(guest, jit);
          const history = new History(machine, {
            now: () => performance.now(),
            ...(r.oneIn(2) ? { budget: 1 << 20 } : {}),
            ...(r.oneIn(2) ? { touchedPages: touchedPagesOf } : {}),
          });
          const { checkpoints } = history;
          let reached = 0;
          for (let step = 0; step < 30; step++) {
            const ahead = known.filter((moment) => moment > reached);
            if (ahead.length > 0 && r.oneIn(2)) {
              // From wherever it stands, with checkpoints on the way or without.
              const goal = ahead[r.below(Math.min(4, ahead.length))]!;
              while (history.position < goal) {
                run(machine, Math.min(goal, history.position + 1 + r.below(goal)));
                history.ran({ kind: 'limit' });
                if (r.oneIn(2)) history.take();
              }
              reached = goal;
            } else if (reached > 0) {
              const goal = r.pick(known.filter((moment) => moment <= reached));
              complete(history.seek(goal));
              assert.equal(machine.hash(), hashes.get(goal), `SEED=${seed}, round ${round}, step ${step}: ${goal}`);
            }
            if (r.oneIn(4)) history.take();
            if (r.oneIn(5)) checkpoints.remove(r.below(checkpoints.list.length));
            if (r.oneIn(5) && history.position > 0) complete(history.prepare());
            if (r.oneIn(20)) checkpoints.restore(r.below(checkpoints.list.length));
            if (r.oneIn(5)) complete(history.bringClose(r.below(history.position + 1)));
            if (r.oneIn(30)) machine.cpu.setWatchpoints(r.oneIn(2) ? [] : [{ id: 1, address: 0x3f_f000n, length: 8, access: 'read' }]);
          }
        }
      }).timeout(120_000);
});

describe('going back', () => {
  it('keeps what was translated', function () {
    const guest = guests.find(({ name }) => name === path.basename(example));
    if (guest === undefined) {
      console.log(`    skipped: ${example} is not built`);
      this.skip();
    }
    const plain = boot(guest, false);
    run(plain, guest.end);
    // Page tables are made by then.
    const end = plain.cpu.retiredCount - 100;
    const machine = boot(guest, 'eager');
    // No regions for windows, which come and go with what is mapped.
    machine.cpu.setWatchpoints([{ id: 1, address: 0x7fff_ffff_f000n, length: 1, access: 'write' }]);
    const history = new History(machine, { now: () => 0 });
    run(machine, end - 1000);
    history.take();
    run(machine, end);
    history.ran({ kind: 'limit' });
    const compiledOnTheWay = (): number => {
      const before = machine.cpu.jitStatistics!['compiled']!;
      for (const back of [100, 900, 500]) complete(history.seek(end - back));
      return machine.cpu.jitStatistics!['compiled']! - before;
    };
    // There is more to be seen in code that runs again.
    for (let time = 0; time < 20; time++) compiledOnTheWay();
    assert.ok(machine.cpu.jitStatistics!['compiled']! > 0);
    assert.equal(compiledOnTheWay(), 0);
  });
});
