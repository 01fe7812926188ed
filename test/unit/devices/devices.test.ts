import assert from 'node:assert/strict';
import { KeyboardController } from '../../../debug-adapter/devices/keyboard';
import { PciHost } from '../../../debug-adapter/devices/pci';
import { InterruptController } from '../../../debug-adapter/devices/pic';
import { IntervalTimer, pitNanoseconds, pitTicks } from '../../../debug-adapter/devices/pit';
import { PowerControl } from '../../../debug-adapter/devices/power';
import { RealTimeClock } from '../../../debug-adapter/devices/rtc';
import { Uart } from '../../../debug-adapter/devices/uart';
import { Vga } from '../../../debug-adapter/devices/vga';
import { TestHost } from './host';

describe('8259', () => {
  const initialise = (pic: InterruptController): void => {
    // As Unikraft: masks are written back unchanged.
    const [low, high] = [pic.portRead(0x21), pic.portRead(0xa1)];
    for (const [port, value] of [
      [0x20, 0x11],
      [0xa0, 0x11],
      [0x21, 0x20],
      [0xa1, 0x28],
      [0x21, 4],
      [0xa1, 2],
      [0x21, 1],
      [0xa1, 1],
      [0x21, low],
      [0xa1, high],
    ] as const)
      pic.portWrite(port, 1, value);
  };
  let host: TestHost;
  let pic: InterruptController;
  beforeEach(() => {
    host = new TestHost();
    pic = new InterruptController(host);
    initialise(pic);
  });

  it('starts with the masks that firmware leaves, the cascade open', () => {
    assert.equal(pic.portRead(0x21), 0xb8);
    assert.equal(pic.portRead(0xa1), 0x8e);
  });

  it('delivers the timer once per edge', () => {
    pic.setLine(0, true);
    assert.ok(host.requested);
    assert.equal(pic.acknowledge(), 0x20);
    assert.ok(!host.requested);
    pic.portWrite(0x20, 1, 0x20);
    assert.ok(!host.requested, 'the line is still high, but the edge is used up');
    pic.setLine(0, false);
    pic.setLine(0, true);
    assert.ok(host.requested);
  });

  it('delivers slave lines through the cascade, level triggered for 10 and 11', () => {
    pic.portWrite(0xa1, 1, pic.portRead(0xa1) & ~(1 << 2));
    pic.setLine(10, true);
    assert.equal(pic.acknowledge(), 0x2a);
    pic.portWrite(0xa0, 1, 0x20);
    pic.portWrite(0x20, 1, 0x20);
    assert.ok(host.requested, 'the level is still there');
    pic.setLine(10, false);
    assert.ok(!host.requested);
  });

  it('keeps priorities: a lower one waits for the end of interrupt', () => {
    pic.portWrite(0x21, 1, 0);
    pic.setLine(4, true);
    assert.equal(pic.acknowledge(), 0x24);
    pic.setLine(5, true);
    assert.ok(!host.requested);
    pic.setLine(1, true);
    assert.equal(pic.acknowledge(), 0x21);
    pic.portWrite(0x20, 1, 0x20);
    pic.portWrite(0x20, 1, 0x20);
    assert.equal(pic.acknowledge(), 0x25);
  });

  it('answers a request that went away with the spurious vector', () => {
    assert.equal(pic.acknowledge(), 0x27);
    pic.portWrite(0x20, 1, 0x0b);
    assert.equal(pic.portRead(0x20), 0, 'and nothing is in service');
  });

  it('masks, and shows requests and service', () => {
    pic.portWrite(0x21, 1, 0xff);
    pic.setLine(1, true);
    assert.ok(!host.requested);
    pic.portWrite(0x20, 1, 0x0a);
    assert.equal(pic.portRead(0x20), 0x02);
    pic.portWrite(0x21, 1, 0xfd);
    assert.ok(host.requested);
  });

  it('saves and restores', () => {
    pic.setLine(1, true);
    const state = structuredClone(pic.save());
    pic.acknowledge();
    pic.restore(state);
    assert.ok(host.requested);
    assert.equal(pic.acknowledge(), 0x21);
  });
});

describe('8254', () => {
  let host: TestHost;
  let pit: IntervalTimer;
  beforeEach(() => {
    host = new TestHost();
    pit = new IntervalTimer(host);
    pit.reset();
    host.irqLog.length = 0;
  });
  const rises = (): number => host.irqLog.filter(([line, level]) => line === 0 && level).length;
  const out = (port: number, value: number): void => pit.portWrite(port, 1, value);
  const latch = (channel: number): number => {
    out(0x43, channel << 6);
    return pit.portRead(0x40 + channel) | (pit.portRead(0x40 + channel) << 8);
  };

  it('converts between ticks and time without drift', () => {
    for (const ticks of [0, 1, 1193, 1_193_182, 1_193_183, 5_000_000_123]) {
      const at = pitNanoseconds(ticks);
      assert.equal(pitTicks(at), ticks);
      if (ticks > 0) assert.equal(pitTicks(at - 1), ticks - 1);
    }
  });

  it('mode 2: a hundred interrupts a second, and a count that goes down', () => {
    out(0x43, 0x34);
    out(0x40, 0x9b);
    out(0x40, 0x2e);
    assert.equal(latch(0), 11_931);
    // The command and the two reads took 21 microseconds.
    host.pass(979_000);
    assert.equal(latch(0), 11_931 - 1193);
    host.pass(999_500_000);
    assert.equal(rises(), 100);
  });

  it('mode 4: one interrupt after the count, none after', () => {
    out(0x43, 0x38);
    out(0x40, 0);
    out(0x40, 0);
    host.irqLog.length = 0;
    // Without a new control word.
    out(0x40, (11_932 - 1) & 0xff);
    out(0x40, (11_932 - 1) >> 8);
    host.pass(9_999_000);
    assert.equal(rises(), 0);
    host.pass(2000);
    assert.equal(rises(), 1);
    host.pass(1e9);
    assert.equal(rises(), 1);
  });

  it('mode 0: the output is low until the count ends; status is read back', () => {
    out(0x43, 0x30);
    out(0x40, 100);
    out(0x40, 0);
    out(0x43, 0xe2);
    assert.equal(pit.portRead(0x40), 0x30);
    host.pass(100_000);
    out(0x43, 0xe2);
    assert.equal(pit.portRead(0x40), 0xb0);
    assert.equal(rises(), 1);
  });

  it('channel 2 shows in port 0x61', () => {
    out(0x61, 1);
    out(0x43, 0xb0);
    out(0x42, 0x10);
    out(0x42, 0);
    assert.equal(pit.portRead(0x61) & 0x21, 0x01);
    host.pass(20_000);
    assert.equal(pit.portRead(0x61) & 0x21, 0x21);
  });

  it('goes on after a restore as it would have', () => {
    out(0x43, 0x34);
    out(0x40, 0x9b);
    out(0x40, 0x2e);
    host.pass(3_000_000);
    const [state, clock] = [structuredClone(pit.save()), host.clock.save()];
    host.pass(20_000_000);
    const expected = [rises(), latch(0)];
    pit.restore(state);
    host.clock.restore(clock);
    host.irqLog.length = 0;
    host.pass(20_000_000);
    assert.deepEqual([rises(), latch(0)], expected);
  });
});

describe('real-time clock', () => {
  it('shows the time of the start, going on with virtual time, in BCD', () => {
    const host = new TestHost();
    const rtc = new RealTimeClock(host, Date.UTC(2025, 11, 31, 23, 59, 58) / 1000, 64 << 20);
    const read = (index: number): number => {
      rtc.portWrite(0x70, 1, index);
      return rtc.portRead(0x71);
    };
    assert.deepEqual([9, 8, 7, 4, 2, 0].map(read), [0x25, 0x12, 0x31, 0x23, 0x59, 0x58]);
    host.pass(3e9);
    assert.deepEqual([9, 8, 7, 4, 2, 0].map(read), [0x26, 0x01, 0x01, 0x00, 0x00, 0x01]);
    assert.equal(read(0x0a) & 0x80, 0);
    host.pass(1e9 - 100_000);
    assert.equal(read(0x0a) & 0x80, 0x80);
  });

  it('gives periodic interrupts', () => {
    const host = new TestHost();
    const rtc = new RealTimeClock(host, 0, 64 << 20);
    rtc.portWrite(0x70, 1, 0x0b);
    rtc.portWrite(0x71, 1, 0x42);
    let ticks = 0;
    for (let i = 0; i < 1000; i++) {
      host.pass(1_000_000);
      if (host.irqs.get(8)) {
        ticks++;
        rtc.portWrite(0x70, 1, 0x0c);
        rtc.portRead(0x71);
      }
    }
    assert.ok(ticks > 900, `${ticks}`);
  });
});

describe('16550', () => {
  let host: TestHost;
  let uart: Uart;
  let said: string;
  beforeEach(() => {
    host = new TestHost();
    uart = new Uart(host, 'com1', 0x3f8, 4);
    said = '';
    uart.onOutput = (bytes) => (said += Buffer.from(bytes).toString());
  });

  it('sends what is written, and is always ready', () => {
    for (const [port, value] of [
      [0x3f9, 0],
      [0x3fb, 0x80],
      [0x3f8, 1],
      [0x3f9, 0],
      [0x3fb, 3],
    ] as const)
      uart.portWrite(port, 1, value);
    for (const c of Buffer.from('hi\r\n')) {
      assert.equal(uart.portRead(0x3fd) & 0x20, 0x20);
      uart.portWrite(0x3f8, 1, c);
    }
    uart.flush();
    assert.equal(said, 'hi\r\n');
    assert.equal(host.polls, 0);
  });

  it('sends nothing while replaying', () => {
    host.replaying = true;
    uart.portWrite(0x3f8, 1, 0x41);
    uart.flush();
    assert.equal(said, '');
  });

  it('receives, and tells of it by an interrupt where that is on', () => {
    uart.input(Buffer.from('ab'));
    assert.ok(!host.irqs.get(4));
    uart.portWrite(0x3fc, 1, 8);
    uart.portWrite(0x3f9, 1, 1);
    assert.ok(host.irqs.get(4));
    assert.equal(uart.portRead(0x3fa) & 0x0f, 4);
    assert.equal(uart.portRead(0x3fd) & 1, 1);
    assert.equal(uart.portRead(0x3f8), 0x61);
    assert.equal(uart.portRead(0x3f8), 0x62);
    assert.equal(uart.portRead(0x3fd) & 1, 0);
    assert.ok(!host.irqs.get(4));
  });

  it('waits for the FIFO trigger, or for silence', () => {
    uart.portWrite(0x3fa, 1, 0x41);
    uart.portWrite(0x3fc, 1, 8);
    uart.portWrite(0x3f9, 1, 1);
    uart.input(Buffer.from('abc'));
    assert.ok(!host.irqs.get(4));
    uart.input(Buffer.from('d'));
    assert.ok(host.irqs.get(4));
    for (let i = 0; i < 3; i++) uart.portRead(0x3f8);
    assert.ok(!host.irqs.get(4));
    host.pass(1e7);
    assert.ok(host.irqs.get(4));
    assert.equal(uart.portRead(0x3fa) & 0x0f, 0x0c);
  });

  it('sees a guest that does nothing but poll', () => {
    for (let i = 0; i < 31; i++) uart.portRead(0x3fd);
    assert.equal(host.polls, 0);
    uart.portRead(0x3fd);
    assert.equal(host.polls, 1);
  });

  it('keeps a bounded queue', () => {
    for (let i = 0; i < 40; i++) uart.input(new Uint8Array(4096));
    assert.equal(uart.room(), 0);
  });
});

describe('PCI', () => {
  const make = (): { pci: PciHost; host: TestHost; dword: (device: number, register: number) => number } => {
    const host = new TestHost();
    const pci = new PciHost(host);
    const dword = (device: number, register: number): number => {
      pci.portWrite(0xcf8, 4, (0x8000_0000 | (device << 11) | register) >>> 0);
      return pci.portRead(0xcfc, 4);
    };
    return { pci, host, dword };
  };
  const virtio = {
    vendorId: 0x1af4,
    deviceId: 0x1000,
    classCode: 0x020000,
    revision: 0,
    subsystemVendorId: 0x1af4,
    subsystemId: 1,
    ioSize: 32,
  };

  it('has a 440FX host bridge at 0, and all ones elsewhere', () => {
    const { dword } = make();
    assert.equal(dword(0, 0), 0x1237_8086);
    assert.equal(dword(0, 8) >>> 16, 0x0600);
    for (let device = 1; device < 32; device++) assert.equal(dword(device, 0), 0xffff_ffff);
  });

  it('plugs functions in with ports and an interrupt assigned', () => {
    const { pci, host, dword } = make();
    const a = pci.plug(virtio);
    const b = pci.plug(virtio);
    assert.equal(dword(1, 0x10), a.ioBase | 1);
    assert.equal(dword(1, 0x3c) & 0xff, a.irq);
    assert.equal(dword(1, 0x2c) >>> 16, 1);
    assert.equal(dword(1, 4) & 1, 1, 'I/O decoding is on');
    assert.ok(b.ioBase >= a.ioBase + 32);
    const c = pci.plug(virtio);
    assert.equal(c.irq, a.irq);
    pci.setInterrupt(a, true);
    pci.setInterrupt(c, true);
    pci.setInterrupt(a, false);
    assert.equal(host.irqs.get(a.irq), true, 'the line is shared');
    pci.setInterrupt(c, false);
    assert.equal(host.irqs.get(a.irq), false);
  });

  it('answers a size probe of BAR0', () => {
    const { pci, dword } = make();
    pci.plug(virtio);
    dword(1, 0x10);
    pci.portWrite(0xcfc, 4, 0xffff_ffff);
    assert.equal(dword(1, 0x10), 0xffff_ffe1);
  });
});

describe('the ways out', () => {
  const exits = (port: number, size: number, value: number): unknown => {
    const host = new TestHost();
    new PowerControl(host).portWrite(port, size, value);
    return host.exit;
  };
  it('power off, exit ports, resets', () => {
    assert.deepEqual(exits(0x604, 2, 0x2000), { kind: 'powerOff' });
    assert.equal(exits(0x604, 2, 0x0001), undefined);
    assert.deepEqual(exits(0x501, 2, 41), { kind: 'exitPort', value: 41 });
    assert.deepEqual(exits(0xf4, 1, 0), { kind: 'exitPort', value: 0 });
    assert.equal(exits(0x505, 1, 1), undefined);
    assert.deepEqual(exits(0xcf9, 1, 0x06), { kind: 'reset' });
    assert.equal(exits(0x80, 1, 0xff), undefined);
  });

  it('the keyboard controller pulls the reset line, and tests itself', () => {
    const host = new TestHost();
    const keyboard = new KeyboardController(host);
    keyboard.portWrite(0x64, 1, 0xaa);
    assert.equal(keyboard.portRead(0x64) & 1, 1);
    assert.equal(keyboard.portRead(0x60), 0x55);
    assert.equal(keyboard.portRead(0x64) & 1, 0);
    keyboard.input(Uint8Array.of(0x1e));
    assert.ok(host.irqs.get(1));
    keyboard.portWrite(0x64, 1, 0xfe);
    assert.deepEqual(host.exit, { kind: 'reset' });
  });
});

describe('VGA text', () => {
  it('shows the buffer from the start address, with the cursor', () => {
    const host = new TestHost();
    const vga = new Vga(host);
    vga.reset();
    host.ram.set([0x48, 7, 0x69, 7], 0xb8000 + 160);
    vga.portWrite(0x3d4, 2, 0x500d);
    const set = (index: number, value: number): void => {
      vga.portWrite(0x3d4, 1, index);
      vga.portWrite(0x3d5, 1, value);
    };
    set(0x0e, 0);
    set(0x0f, 82);
    const screen = vga.screen();
    assert.equal(String.fromCharCode(screen.cells[0]!, screen.cells[2]!), 'Hi');
    assert.equal(screen.cursor, 2);
    assert.equal(vga.portRead(0x3cc) & 1, 1);
    set(0x0a, 0x20);
    assert.equal(vga.screen().cursor, -1);
  });
});
