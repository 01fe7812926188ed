/** A small client of the GDB remote serial protocol, for driving QEMU step by step. */
import { connect, type Socket } from 'node:net';

/** General registers in the order of QEMU's `g` packet for x86-64. */
export const generalNames = [
  'rax',
  'rbx',
  'rcx',
  'rdx',
  'rsi',
  'rdi',
  'rbp',
  'rsp',
  'r8',
  'r9',
  'r10',
  'r11',
  'r12',
  'r13',
  'r14',
  'r15',
  'rip',
] as const;

export interface QemuRegisters {
  readonly general: Readonly<Record<string, bigint>>;
  readonly flags: bigint;
  /** The 16 vector registers, low half first. */
  readonly xmm: readonly (readonly [bigint, bigint])[];
  readonly st: readonly string[];
}

export class GdbRemote {
  private buffer = '';
  private waiting: ((packet: string) => void) | undefined;

  private constructor(private readonly socket: Socket) {
    socket.setNoDelay(true);
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => {
      this.buffer += text;
      this.take();
    });
  }

  static async open(port: number, tries = 50): Promise<GdbRemote> {
    for (let i = 0; ; i++) {
      try {
        const socket = await new Promise<Socket>((resolve, reject) => {
          const attempt = connect(port, '127.0.0.1', () => resolve(attempt));
          attempt.once('error', reject);
        });
        const remote = new GdbRemote(socket);
        // QEMU takes single registers only from a client that has asked for its description.
        await remote.ask('qXfer:features:read:target.xml:0,ffb');
        return remote;
      } catch (error) {
        if (i >= tries) throw error;
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  }

  private take(): void {
    const start = this.buffer.indexOf('$');
    const end = this.buffer.indexOf('#', start);
    if (start < 0 || end < 0 || this.buffer.length < end + 3) return;
    const packet = this.buffer.slice(start + 1, end);
    this.buffer = this.buffer.slice(end + 3);
    this.socket.write('+');
    const { waiting } = this;
    this.waiting = undefined;
    waiting?.(packet);
  }

  /** Sends a packet and waits for the answer. */
  ask(packet: string): Promise<string> {
    let sum = 0;
    for (let i = 0; i < packet.length; i++) sum = (sum + packet.charCodeAt(i)) & 0xff;
    return new Promise((resolve) => {
      this.waiting = resolve;
      this.socket.write(`$${packet}#${sum.toString(16).padStart(2, '0')}`);
    });
  }

  async registers(): Promise<QemuRegisters> {
    const text = await this.ask('g');
    const bytes = Buffer.from(text.replaceAll('x', '0'), 'hex');
    const general: Record<string, bigint> = {};
    generalNames.forEach((name, index) => (general[name] = bytes.readBigUInt64LE(index * 8)));
    let at = generalNames.length * 8;
    const flags = BigInt(bytes.readUInt32LE(at));
    at += 4 + 6 * 4;
    // QEMU 7 and later put fs_base, gs_base, k_gs_base, cr0, cr2, cr3, cr4, cr8, efer behind the vector registers.
    const st = Array.from({ length: 8 }, (_, i) => bytes.subarray(at + i * 10, at + i * 10 + 10).toString('hex'));
    at += 80 + 8 * 4;

    const xmmAt = vectorOffset(bytes.length, at);
    const xmm = Array.from(
      { length: 16 },
      (_, i) => [bytes.readBigUInt64LE(xmmAt + i * 16), bytes.readBigUInt64LE(xmmAt + i * 16 + 8)] as const,
    );
    return { general, flags, xmm, st };
  }

  /** @param index position in `generalNames`. */
  async setRegister(index: number, value: bigint): Promise<void> {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(value);
    await this.ask(`P${index.toString(16)}=${bytes.toString('hex')}`);
  }

  async step(): Promise<string> {
    return await this.ask('s');
  }

  async runTo(address: bigint): Promise<void> {
    await this.ask(`Z0,${address.toString(16)},1`);
    await this.ask('c');
    await this.ask(`z0,${address.toString(16)},1`);
  }

  async memory(address: bigint, length: number): Promise<Buffer> {
    return Buffer.from(await this.ask(`m${address.toString(16)},${length.toString(16)}`), 'hex');
  }

  close(): void {
    this.socket.destroy();
  }
}

/** QEMU's target description has fs_base, gs_base, k_gs_base, the control registers and EFER before the vector registers: 9 of 8 bytes. */
function vectorOffset(length: number, at: number): number {
  return length - at >= 9 * 8 + 16 * 16 + 4 ? at + 9 * 8 : at;
}
