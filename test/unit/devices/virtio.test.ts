import assert from 'node:assert/strict';
import { PciHost } from '../../../debug-adapter/devices/pci';
import { VirtioBlk } from '../../../debug-adapter/devices/virtio-blk';
import { VirtioConsole } from '../../../debug-adapter/devices/virtio-console';
import { VirtioNet } from '../../../debug-adapter/devices/virtio-net';
import { type VirtioDevice } from '../../../debug-adapter/devices/virtio-pci';
import { VirtioRng } from '../../../debug-adapter/devices/virtio-rng';
import { TestHost } from './host';

const queuePage = 16;

/** A driver of one queue at `queuePage`, as a legacy guest has it. */
class Driver {
  private readonly view: DataView;
  private available = 0;
  private readonly size: number;
  readonly base: number;

  constructor(
    readonly host: TestHost,
    readonly device: VirtioDevice,
    readonly queue: number,
    features = 0,
  ) {
    this.view = new DataView(host.ram.buffer);
    this.base = device.ports[0]![0];
    const page = queuePage + queue * 8;
    device.portWrite(this.base + 18, 1, 1);
    device.portWrite(this.base + 4, 4, features);
    device.portWrite(this.base + 14, 2, queue);
    this.size = device.portRead(this.base + 12, 2);
    device.portWrite(this.base + 8, 4, page);
    device.portWrite(this.base + 18, 1, 7);
    this.descriptors = page * 4096;
  }

  private readonly descriptors: number;

  private get availableRing(): number {
    return this.descriptors + this.size * 16;
  }

  get usedRing(): number {
    return (this.availableRing + 6 + this.size * 2 + 4095) & ~4095;
  }

  get usedIndex(): number {
    return this.view.getUint16(this.usedRing + 2, true);
  }

  usedLength(index: number): number {
    return this.view.getUint32(this.usedRing + 4 + (index % this.size) * 8 + 4, true);
  }

  /** Descriptors from 0 on, linked; each address, length, device-writable. */
  offer(chain: readonly (readonly [address: number, length: number, writable: boolean])[], first = 0): void {
    chain.forEach(([address, length, writable], index) => {
      const at = this.descriptors + (first + index) * 16;
      this.view.setBigUint64(at, BigInt(address), true);
      this.view.setUint32(at + 8, length, true);
      this.view.setUint16(at + 12, (index < chain.length - 1 ? 1 : 0) | (writable ? 2 : 0), true);
      this.view.setUint16(at + 14, first + index + 1, true);
    });
    this.view.setUint16(this.availableRing + 4 + (this.available % this.size) * 2, first, true);
    this.available++;
    this.view.setUint16(this.availableRing + 2, this.available, true);
  }

  notify(): void {
    this.device.portWrite(this.base + 16, 2, this.queue);
  }
}

function rig(): { host: TestHost; pci: PciHost } {
  const host = new TestHost(1 << 20);
  return { host, pci: new PciHost(host) };
}

describe('virtio-net', () => {
  const mac = Uint8Array.of(0x52, 0x54, 0, 0x12, 0x34, 0x56);

  it('shows its address and features as a legacy device', () => {
    const { host, pci } = rig();
    const net = new VirtioNet(host, pci, mac);
    const base = net.ports[0]![0];
    assert.deepEqual(
      Array.from({ length: 6 }, (_, i) => net.portRead(base + 20 + i, 1)),
      [...mac],
    );
    assert.equal(net.portRead(base, 4) & 0x20, 0x20);
    assert.equal(net.portRead(base + 12, 2), 256);
    pci.portWrite(0xcf8, 4, 0x8000_0800);
    assert.equal(pci.portRead(0xcfc, 4), 0x1000_1af4);
  });

  it('sends frames without the header, and interrupts', () => {
    const { host, pci } = rig();
    const net = new VirtioNet(host, pci, mac);
    const frames: Uint8Array[] = [];
    net.onFrame = (frame) => frames.push(frame);
    const driver = new Driver(host, net, 1);
    host.ram.set([1, 2, 3, 4], 0x8000);
    driver.offer([
      [0x7000, 10, false],
      [0x8000, 4, false],
    ]);
    driver.notify();
    assert.deepEqual(frames, [Uint8Array.of(1, 2, 3, 4)]);
    assert.equal(driver.usedIndex, 1);
    assert.ok(host.irqs.get(11));
    assert.equal(net.portRead(driver.base + 19, 1), 1);
    assert.ok(!host.irqs.get(11));
  });

  it('delivers frames when there are buffers, in order', () => {
    const { host, pci } = rig();
    const net = new VirtioNet(host, pci, mac);
    const driver = new Driver(host, net, 0);
    net.input(Uint8Array.of(7, 7, 7));
    net.input(Uint8Array.of(8));
    assert.equal(driver.usedIndex, 0);
    driver.offer([[0x8000, 100, true]], 0);
    driver.notify();
    assert.equal(driver.usedIndex, 1);
    assert.equal(driver.usedLength(0), 13);
    assert.deepEqual([...host.ram.subarray(0x800a, 0x800d)], [7, 7, 7]);
    driver.offer([[0x9000, 100, true]], 1);
    driver.notify();
    assert.equal(host.ram[0x900a], 8);
  });

  it('keeps interrupts back by the event index', () => {
    const { host, pci } = rig();
    const net = new VirtioNet(host, pci, mac);
    const driver = new Driver(host, net, 1, 1 << 29);
    const view = new DataView(host.ram.buffer);
    // used_event: after the third.
    view.setUint16((queuePage + 8) * 4096 + 256 * 16 + 4 + 256 * 2, 2, true);
    for (let i = 0; i < 3; i++) {
      assert.ok(!host.irqs.get(11), `request ${i}`);
      driver.offer([[0x8000, 20, false]], i);
      driver.notify();
    }
    assert.ok(host.irqs.get(11));
  });
});

describe('virtio-blk', () => {
  it('reads, writes over its own copy, and refuses what lies outside', () => {
    const { host, pci } = rig();
    const disk = new Uint8Array(64 * 512).map((_, i) => i & 0xff);
    const original = disk.slice();
    const blk = new VirtioBlk(host, pci, disk);
    const driver = new Driver(host, blk, 0);
    const view = new DataView(host.ram.buffer);
    let next = 0;
    const request = (type: number, sector: number, length: number): number => {
      view.setUint32(0x7000, type, true);
      view.setBigUint64(0x7008, BigInt(sector), true);
      driver.offer(
        [
          [0x7000, 16, false],
          [0x8000, length, type !== 1],
          [0x7800, 1, true],
        ],
        next,
      );
      next += 3;
      driver.notify();
      return host.ram[0x7800]!;
    };
    assert.equal(blk.portRead(driver.base + 20, 4), 64);
    assert.equal(request(0, 1, 512), 0);
    assert.deepEqual(host.ram.slice(0x8000, 0x8200), disk.slice(512, 1024));
    host.ram.fill(0xab, 0x8000, 0x8400);
    assert.equal(request(1, 7, 1024), 0);
    host.ram.fill(0, 0x8000, 0x8400);
    assert.equal(request(0, 8, 512), 0);
    assert.equal(host.ram[0x8000], 0xab);
    assert.deepEqual(disk, original);
    assert.equal(request(0, 64, 512), 1);
    assert.equal(request(0, 2 ** 40, 512), 1);
    assert.equal(request(99, 0, 512), 2);
    const saved = structuredClone(blk.save());
    host.ram.fill(0xcd, 0x8000, 0x8400);
    request(1, 7, 1024);
    blk.restore(saved);
    request(0, 7, 512);
    assert.equal(host.ram[0x8000], 0xab);
  });
});

describe('virtio-console and virtio-rng', () => {
  it('carry bytes', () => {
    const { host, pci } = rig();
    const con = new VirtioConsole(host, pci);
    let said = '';
    con.onOutput = (bytes) => (said += Buffer.from(bytes).toString());
    const out = new Driver(host, con, 1);
    host.ram.set(Buffer.from('hello'), 0x8000);
    out.offer([[0x8000, 5, false]]);
    out.notify();
    assert.equal(said, 'hello');
    const rng = new VirtioRng(host, pci, (bytes) => bytes.fill(0x5a));
    const random = new Driver(host, rng, 0);
    random.offer([[0x9000, 8, true]]);
    random.notify();
    assert.equal(random.usedLength(0), 8);
    assert.equal(host.ram[0x9007], 0x5a);
  });
});

describe('hostile rings', () => {
  it('never throw, hang, or reach beyond RAM', function () {
    const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);
    const cases = Number(process.env['CASES'] ?? 20_000);
    this.timeout(60_000 + cases * 20);
    console.log(`      rings: SEED=${seed}, ${cases} cases`);
    let state = seed | 1;
    const random = (n: number): number => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return (state >>> 0) % n;
    };
    const host = new TestHost(1 << 18);
    const pci = new PciHost(host);
    const devices = [
      new VirtioNet(host, pci, new Uint8Array(6)),
      new VirtioBlk(host, pci, new Uint8Array(8192)),
      new VirtioConsole(host, pci),
      new VirtioRng(host, pci, (bytes) => bytes.fill(1)),
    ];
    const view = new DataView(host.ram.buffer);
    for (let i = 0; i < cases; i++) {
      const device = devices[random(devices.length)]!;
      const base = device.ports[0]![0];
      if (random(4) === 0) device.portWrite(base + 18, 1, 0);
      device.portWrite(base + 4, 4, random(2) === 0 ? 0xffff_ffff : 0);
      device.portWrite(base + 14, 2, random(3));
      const page = random(8) === 0 ? random(0x1_0000_0000) : random(48);
      device.portWrite(base + 8, 4, page);
      // Rings full of nonsense with some plausible values in it.
      for (let n = random(40); n >= 0; n--) {
        const at = (page % 56) * 4096 + random(0x2000);
        view.setUint32(at & 0x3_fffc, random(3) === 0 ? random(0x1_0000_0000) : random(300), true);
        const descriptor = ((page % 56) * 4096 + random(8) * 16) & 0x3_fff0;
        view.setBigUint64(descriptor, BigInt(random(5) === 0 ? random(0x1_0000_0000) * 4096 : random(0x4_0000)), true);
        view.setUint32(descriptor + 8, random(6) === 0 ? random(0x1_0000_0000) : random(0x2000), true);
        view.setUint32(descriptor + 12, random(8) | (random(8) << 16), true);
      }
      try {
        for (let n = 0; n < 3; n++) device.portWrite(base + 16, 2, random(4));
        if (random(4) === 0) (device as VirtioNet).input?.(new Uint8Array(random(2000)));
      } catch (error) {
        assert.fail(`seed ${seed}, case ${i}: ${String((error as Error).stack)}`);
      }
    }
    assert.ok(
      host.written.every(([at, length]) => at >= 0 && at + length <= host.ram.length),
      `seed ${seed}`,
    );
  });
});
