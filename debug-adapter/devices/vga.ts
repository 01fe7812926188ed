/** VGA text mode: the CRT controller's registers and what the 80x25 buffer at 0xB8000 shows. The buffer itself is plain RAM. */
import { type Device, type DeviceHost, type TextScreen } from '../machine/api';

const bufferBase = 0xb8000;
const bufferBytes = 0x8000;
const columns = 80;
const rows = 25;

/** CRT controller registers (IBM VGA). */
const Crtc = { cursorStart: 0x0a, startHigh: 0x0c, startLow: 0x0d, cursorHigh: 0x0e, cursorLow: 0x0f } as const;

interface VgaState {
  crtcIndex: number;
  crtc: Uint8Array;
  misc: number;
  sequencerIndex: number;
  sequencer: Uint8Array;
  graphicsIndex: number;
  graphics: Uint8Array;
  attributeIndex: number;
  attributes: Uint8Array;
  /** The attribute port takes an index next (false) or data (true). */
  attributeData: boolean;
}

function initial(): VgaState {
  const crtc = new Uint8Array(32);
  crtc[Crtc.cursorStart] = 13;
  crtc[0x0b] = 14;
  return {
    crtcIndex: 0,
    crtc,
    // Bit 0: colour, the CRT controller at 0x3D4.
    misc: 0x67,
    sequencerIndex: 0,
    sequencer: new Uint8Array(8),
    graphicsIndex: 0,
    graphics: new Uint8Array(16),
    attributeIndex: 0,
    attributes: new Uint8Array(32),
    attributeData: false,
  };
}

/** The screen as firmware leaves it: blanks, light grey on black. */
export function clearScreen(ram: Uint8Array): void {
  for (let i = 0; i < columns * rows; i++) {
    ram[bufferBase + 2 * i] = 0x20;
    ram[bufferBase + 2 * i + 1] = 0x07;
  }
}

export class Vga implements Device {
  readonly name = 'vga';
  readonly ports = [
    [0x3b4, 0x3b5],
    [0x3ba, 0x3ba],
    [0x3c0, 0x3cf],
    [0x3d4, 0x3d5],
    [0x3da, 0x3da],
  ] as const;
  private state = initial();

  constructor(private readonly host: DeviceHost) {}

  portRead(port: number): number {
    const s = this.state;
    switch (port) {
      case 0x3d4:
        return s.crtcIndex;
      case 0x3d5:
        return s.crtc[s.crtcIndex & 31]!;
      case 0x3c0:
        return s.attributeIndex;
      case 0x3c1:
        return s.attributes[s.attributeIndex & 31]!;
      case 0x3c4:
        return s.sequencerIndex;
      case 0x3c5:
        return s.sequencer[s.sequencerIndex & 7]!;
      case 0x3cc:
        return s.misc;
      case 0x3ce:
        return s.graphicsIndex;
      case 0x3cf:
        return s.graphics[s.graphicsIndex & 15]!;
      case 0x3da: {
        s.attributeData = false;
        // Vertical retrace for 1/25 of each 70 Hz frame.
        const phase = this.host.clock.now() % 14_285_714;
        return phase < 571_428 ? 0x09 : 0;
      }
      default:
        return 0xff;
    }
  }

  portWrite(port: number, size: number, value: number): void {
    const s = this.state;
    if (size === 2 && (port === 0x3d4 || port === 0x3c4 || port === 0x3ce)) {
      this.portWrite(port, 1, value & 0xff);
      this.portWrite(port + 1, 1, value >> 8);
      return;
    }
    value &= 0xff;
    switch (port) {
      case 0x3d4:
        s.crtcIndex = value;
        break;
      case 0x3d5:
        s.crtc[s.crtcIndex & 31] = value;
        break;
      case 0x3c0:
        if (s.attributeData) s.attributes[s.attributeIndex & 31] = value;
        else s.attributeIndex = value;
        s.attributeData = !s.attributeData;
        break;
      case 0x3c2:
        s.misc = value;
        break;
      case 0x3c4:
        s.sequencerIndex = value;
        break;
      case 0x3c5:
        s.sequencer[s.sequencerIndex & 7] = value;
        break;
      case 0x3ce:
        s.graphicsIndex = value;
        break;
      case 0x3cf:
        s.graphics[s.graphicsIndex & 15] = value;
        break;
      default:
    }
  }

  /** What a monitor would show. */
  screen(): TextScreen {
    const { crtc } = this.state;
    const start = ((crtc[Crtc.startHigh]! << 8) | crtc[Crtc.startLow]!) * 2;
    const cells = new Uint8Array(columns * rows * 2);
    for (let i = 0; i < cells.length; i++) cells[i] = this.host.ram[bufferBase + ((start + i) & (bufferBytes - 1))] ?? 0;
    const cursor = ((crtc[Crtc.cursorHigh]! << 8) | crtc[Crtc.cursorLow]!) - start / 2;
    const visible = (crtc[Crtc.cursorStart]! & 0x20) === 0 && cursor >= 0 && cursor < columns * rows;
    return { columns, rows, cells, cursor: visible ? cursor : -1 };
  }

  /** Clears the screen too. */
  reset(): void {
    this.state = initial();
    clearScreen(this.host.ram);
  }

  save(): unknown {
    return structuredClone(this.state);
  }

  restore(state: unknown): void {
    this.state = structuredClone(state as VgaState);
  }
}
