/** Real images stopped at random instruction counts, and gdb asked about the same machine: source lines, frames, arguments, locals. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { GuestModel } from '../../../debug-adapter/control/guest';
import { nodeHost } from '../../../debug-adapter/dap/host.node';
import { findProgramSymbols } from '../../../debug-adapter/dap/program-symbols';
import { watchPrograms } from '../../../debug-adapter/control/programs';
import { CpioArchive } from '../../../debug-adapter/guest/cpio';
import { createMachine } from '../../../debug-adapter/machine/pc';
import { type PcMachine } from '../../../debug-adapter/machine/machine';
import { SymbolFile } from '../../../debug-adapter/symbols/api';
import { extraDevices, openNetwork, type NetworkLink } from '../../../src/cli/peripherals';
import { writeCpio } from '../../../src/build/cpio';
import { buildGo, haveGo } from '../symbols/go-program';
import { haveTools, Random, seedFromEnvironment } from '../symbols/support';
import { GdbPeer } from './gdb-peer';
import { compareStop, type Difference } from './stop-comparison';

interface Case {
  /** Files of a RAM disk that is made for it, by path, and that disk. */
  readonly files?: Readonly<Record<string, string>>;
  readonly disk?: Uint8Array;
  readonly name: string;
  readonly image: string;
  readonly initrd?: string;
  readonly append?: string;
  /** It is the Go program of the fixtures, built with these options. */
  readonly go?: readonly string[];
  /** Where stops begin, and about how many instructions lie between two. */
  readonly from: number;
  readonly gap: number;
  /** The guest's port that a page is fetched from all the while. */
  readonly port?: number;
}

const extract = 'vfs.fstab=[ "initrd0:/:extract::ramfs=1:" ]';
const address = 'netdev.ip=10.0.2.15/24:10.0.2.2:::';
const cases: readonly Case[] = [
  { name: 'hello-test', image: 'hello-test', from: 20_000, gap: 60_000 },
  { name: 'hello-musl', image: 'hello-musl', from: 20_000, gap: 10_000 },
  { name: 'hello-musl-nothreads', image: 'hello-musl-nothreads', from: 20_000, gap: 10_000 },
  { name: 'elfloader, C', image: 'elfloader', initrd: 'hello.cpio', append: `${extract} -- /hello a b`, from: 20_000, gap: 15_000 },
  {
    name: 'elfloader, C without optimisation',
    image: 'elfloader',
    initrd: 'hello.cpio',
    append: `${extract} -- /hello-O0 a b`,
    from: 400_000,
    gap: 60_000,
  },
  { name: 'elfloader, threads', image: 'elfloader', initrd: 'threads.cpio', append: `${extract} -- /threads`, from: 400_000, gap: 60_000 },
  { name: 'elfloader, dynamic', image: 'elfloader', initrd: 'dyn.cpio', append: `${extract} -- /dyn`, from: 1_000_000, gap: 80_000 },
  {
    name: 'elfloader, sqlite',
    image: 'elfloader',
    initrd: 'sqlite.cpio',
    append: `${extract} -- /sqlite3-own /x.db ".read /script.sql"`,
    from: 4_000_000,
    gap: 1_000_000,
  },
  {
    name: 'elfloader, Rust',
    image: 'elfloader',
    initrd: 'linux.cpio',
    append: `${extract} -- /helloworld-rust`,
    from: 14_000_000,
    gap: 80_000,
  },
  { name: 'elfloader, Go', image: 'elfloader', go: [], from: 7_000_000, gap: 14_000 },
  { name: 'elfloader, Go without optimisation', image: 'elfloader', go: ['-gcflags=all=-N -l'], from: 7_000_000, gap: 14_000 },
  { name: 'c-http', image: 'c-http', append: `${address} -- `, from: 50_000, gap: 5_000, port: 8080 },
  {
    name: 'nginx',
    image: 'nginx',
    initrd: 'nginx.cpio',
    append: `${address} ${extract} -- -c /nginx/conf/nginx.conf`,
    from: 200_000,
    gap: 20_000,
    port: 80,
  },
];

/** Programs of Unikraft's collection of static-pie-apps on the ELF loader, with what they are given. */
const text = 'the quick brown fox jumps over the lazy dog\n'.repeat(200);
const applications: readonly Omit<Case, 'image'>[] = [
  { name: 'small/barrier/barrier', from: 400_000, gap: 40_000 },
  { name: 'small/dir/dir', from: 400_000, gap: 20_000 },
  { name: 'small/open/open', from: 400_000, gap: 10_000 },
  { name: 'small/stat/stat', from: 400_000, gap: 20_000 },
  { name: 'small/socket/call_socket', from: 400_000, gap: 10_000 },
  { name: 'small/sysconf/sysconf', from: 400_000, gap: 10_000 },
  { name: 'gzip/gzip', append: '-k /text', files: { text }, from: 400_000, gap: 100_000 },
  { name: 'bc/bc', append: '/text', files: { text: 'scale = 40\n4 * a(1)\ne(1)\nquit\n' }, from: 400_000, gap: 100_000 },
  { name: 'sqlite3/sqlite3', append: ':memory: "select sqlite_version()"', from: 400_000, gap: 100_000 },
  { name: 'lang/c++/helloworld', from: 400_000, gap: 40_000 },
  { name: 'lang/rust/helloworld-musl', from: 400_000, gap: 40_000 },
  { name: 'lang/go/helloworld', from: 400_000, gap: 80_000 },
];

const mostFrames = 60;
const suites = process.env['UNIKERNEL_SUITES'];
/** Stops of each image: few in a run of all tests, a thousand when asked for. */
const stops = Number(process.env['STOPS'] ?? 8);
const only = process.env['IMAGE'];

interface Tally {
  stops: number;
  frames: number;
  values: number;
  gone: number;
  /** Times by explanation. */
  readonly explained: Map<string, number>;
}

/** The machine of one case with its network, run to chosen instruction counts. */
class Bench {
  readonly machine: PcMachine;
  readonly #net: NetworkLink | undefined;
  readonly #hostPort = 20_000 + (process.pid % 20_000);

  constructor(private readonly setup: Case) {
    const file = (name: string): Uint8Array => readFileSync(join(suites!, 'images', name));
    if (setup.port !== undefined) {
      const io = { stderr: (text: string) => console.log(text) };
      this.#net = openNetwork(`user,hostfwd=tcp:127.0.0.1:${this.#hostPort}-:${setup.port}`, io as Parameters<typeof openNetwork>[1]);
    }
    const disk = diskOf(setup);
    this.machine = createMachine({
      image: file(setup.image),
      imageName: setup.image,
      commandLine: setup.append ?? '',
      memory: 256 << 20,
      cpuModel: 'default',
      ...(disk === undefined ? {} : { initrd: disk }),
      extraDevices: extraDevices({ network: this.#net !== undefined, disks: [], devices: [] }),
    }).machine;
    this.machine.onConsoleOutput = () => undefined;
    this.#net?.connect(
      this.machine,
      () => undefined,
      () => undefined,
    );
  }

  /** Runs to an instruction count; false where the guest ends or waits for ever before it. */
  async runTo(count: number): Promise<boolean> {
    const { machine } = this;
    for (let idle = 0; ;) {
      this.#net?.pump();
      const now = machine.cpu.retired;
      if (now >= BigInt(count)) return true;
      const slice = this.setup.port === undefined ? count : Math.min(count, Number(now) + 200_000);
      const reason = machine.run(BigInt(slice));
      if (reason.kind === 'idle') {
        if (this.setup.port !== undefined) {
          this.#fetch();
          await new Promise((resolve) => setTimeout(resolve, 1));
        } else if (++idle > 20) return false;
        if (reason.until === undefined) {
          if (this.setup.port === undefined || ++idle > 5_000) return false;
        } else machine.skipIdle();
      } else if (reason.kind !== 'limit' && reason.kind !== 'probe') return false;
      if (this.setup.port !== undefined) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #fetching = false;
  #fetch(): void {
    if (this.#fetching) return;
    this.#fetching = true;
    const request = get({ port: this.#hostPort, host: '127.0.0.1', path: '/', agent: false, timeout: 2000 }, (response) => {
      response.resume();
      response.on('close', () => (this.#fetching = false));
    });
    request.on('error', () => (this.#fetching = false));
    request.on('timeout', () => request.destroy());
  }

  close(): void {
    this.#net?.close();
  }
}

/** The Go program as a case, its code built into `folder`. */
function goCaseOf(setup: Case, folder: string): Case {
  const path = join(folder, 'go-program');
  buildGo(path, ...setup.go!);
  const data = readFileSync(path);
  return { ...setup, append: `${extract} -- /program`, disk: writeCpio([{ path: 'program', kind: 'file', mode: 0o755, data }]) };
}

/** An application as a case: it and its files are the whole RAM disk. */
function caseOf(application: Omit<Case, 'image'>): Case {
  const { name, append = '', files = {} } = application;
  const file = (path: string, data: Uint8Array, mode: number) => ({ path, kind: 'file', mode, data }) as const;
  const program = file('program', readFileSync(join(suites!, 'static-pie-apps', name)), 0o755);
  const others = Object.entries(files).map(([path, data]) => file(path, new TextEncoder().encode(data), 0o644));
  return { ...application, image: 'elfloader', append: `${extract} -- /program ${append}`, disk: writeCpio([program, ...others]) };
}

const diskOf = ({ initrd, disk }: Case): Uint8Array | undefined =>
  disk ?? (initrd === undefined ? undefined : readFileSync(join(suites!, 'images/initrd', initrd)));

describe('control: random stops of real images as gdb sees them', function () {
  this.timeout(3_600_000);
  let folder: string;
  before(() => (folder = mkdtempSync(join(tmpdir(), 'stops-'))));
  after(() => rmSync(folder, { recursive: true, force: true }));

  const all = [
    ...cases.map((setup) => ({ setup, isApplication: false })),
    ...applications.map((application) => ({ setup: { ...application, image: 'elfloader' }, isApplication: true })),
  ];
  for (const { setup, isApplication } of all) {
    const { name } = setup;
    it(name, async function () {
      const symbols = join(suites ?? '', 'images', `${setup.image}.dbg`);
      if (suites === undefined || !existsSync(symbols) || !haveTools('random stops against gdb', 'gdb')) {
        console.log(`SKIPPED: random stops of ${setup.name}: set UNIKERNEL_SUITES to a folder with images/${setup.image}.dbg`);
        return this.skip();
      }
      if (only !== undefined && !name.startsWith(only)) return this.skip();
      if (isApplication && !existsSync(join(suites, 'static-pie-apps', name))) {
        console.log(`SKIPPED: random stops of ${name}: UNIKERNEL_SUITES has no static-pie-apps/${name}`);
        return this.skip();
      }
      if (setup.go !== undefined && !haveGo(`random stops of ${name}`)) return this.skip();
      const whole = isApplication ? caseOf(setup) : setup.go === undefined ? setup : goCaseOf(setup, folder);
      const random = new Random(seedFromEnvironment());
      const tally: Tally = { stops: 0, frames: 0, values: 0, gone: 0, explained: new Map() };
      const differences: Difference[] = [];
      while (tally.stops < stops) {
        const before = tally.stops;
        await session(whole, symbols, random, tally, differences);
        assert.ok(tally.stops > before, 'the guest ends before the first stop');
      }
      console.log(
        `      ${tally.stops} stops, ${tally.frames} frames, ${tally.values} values (${tally.gone} gone), ${differences.length} differences`,
      );
      for (const [text, times] of tally.explained) console.log(`      explained, ${times} times: ${text}`);
      const shown = [...new Set(differences.map(({ kind, text }) => `${kind}: ${text}`))];
      assert.equal(
        differences.length,
        0,
        `${differences.length} differences, of them different ones: ${shown.length}\n    ${shown.slice(0, 40).join('\n    ')}`,
      );
    });
  }

  async function session(setup: Case, symbols: string, random: Random, tally: Tally, differences: Difference[]): Promise<void> {
    const bench = new Bench(setup);
    const { machine } = bench;
    let booted = false;
    const boot = (): PcMachine => {
      // The server boots one machine; a second would be for going back.
      if (booted) throw new Error('one machine only');
      booted = true;
      return machine;
    };
    const peer = await GdbPeer.attach(boot, symbols, mostFrames);
    try {
      const { target } = peer.server.debuggee;
      target.addSymbols(SymbolFile.open(readFileSync(symbols), { name: symbols }));
      const guest = new GuestModel(target);
      const initrd = diskOf(setup);
      const loaded: { readonly path: string; readonly bias: bigint }[] = [];
      // gdb knows what is installed here of debug information by itself.
      const places = { folders: [], debugFolders: nodeHost.debugFolders };
      const programSymbols = initrd === undefined ? [] : (await findProgramSymbols(nodeHost, initrd, places)).symbols;
      watchPrograms(
        target,
        { ...(initrd === undefined ? {} : { initrd }), programSymbols },
        ({ path, bias }) => bias !== undefined && loaded.push({ path, bias }),
      );
      let at = setup.from + random.below(setup.gap);
      while (tally.stops < stops) {
        target.probes.passCurrent();
        if (!(await bench.runTo(at))) return;
        for (const { path, bias } of loaded.splice(0)) {
          const copy = join(folder, basename(path));
          writeFileSync(copy, new CpioArchive(initrd!).read(path)!);
          await peer.addSymbols(copy, bias);
        }
        const frames = guest
          .frames(guest.currentId(), mostFrames + 10)
          .filter(({ origin }) => origin !== 'syscall' && origin !== 'interrupt');
        const result = compareStop(target, frames.slice(0, mostFrames), await peer.stop());
        tally.stops++;
        tally.frames += result.frames;
        tally.values += result.values;
        tally.gone += result.gone;
        for (const text of result.explained) tally.explained.set(text, (tally.explained.get(text) ?? 0) + 1);
        differences.push(...result.differences.map(({ kind, text }) => ({ kind, text: `${text} [at ${at}]` })));
        // Many stops close together, some far apart.
        at += 1 + (random.below(2) === 0 ? random.below(setup.gap) : random.below(200));
      }
    } finally {
      peer.close();
      bench.close();
    }
  }
});
