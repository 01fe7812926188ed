/** A Linux program of a few instructions, so that a new project runs before its own program is there. */

const BASE = 0x400000;
const HEADERS = 64 + 56;
const TEXT = 'Hello from a Linux program!\n';

/** A static x86-64 executable that writes one line and ends with status 0 (System V ABI, AMD64 supplement). */
export function helloProgram(): Uint8Array {
  const code = [
    ...[0xb8, 1, 0, 0, 0], // mov $1, %eax: write
    ...[0xbf, 1, 0, 0, 0], // mov $1, %edi
    ...[0x48, 0x8d, 0x35, 0, 0, 0, 0], // lea text(%rip), %rsi
    ...[0xba, TEXT.length, 0, 0, 0], // mov $length, %edx
    ...[0x0f, 0x05], // syscall
    ...[0xb8, 231, 0, 0, 0], // mov $231, %eax: exit_group
    ...[0x31, 0xff], // xor %edi, %edi
    ...[0x0f, 0x05], // syscall
  ];
  // The text follows the code; `lea` counts from its own end, at 17.
  code[13] = code.length - 17;
  const bytes = new Uint8Array(HEADERS + code.length + TEXT.length);
  const view = new DataView(bytes.buffer);
  const u64 = (at: number, value: number): void => view.setBigUint64(at, BigInt(value), true);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, 2, true); // ET_EXEC
  view.setUint16(18, 62, true); // EM_X86_64
  view.setUint32(20, 1, true);
  u64(24, BASE + HEADERS);
  u64(32, 64);
  view.setUint16(52, 64, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 1, true);
  view.setUint16(58, 64, true);
  view.setUint32(64, 1, true); // PT_LOAD
  view.setUint32(68, 5, true); // readable, executable
  u64(80, BASE);
  u64(88, BASE);
  u64(96, bytes.length);
  u64(104, bytes.length);
  u64(112, 0x1000);
  bytes.set(code, HEADERS);
  for (let i = 0; i < TEXT.length; i++) bytes[HEADERS + code.length + i] = TEXT.charCodeAt(i);
  return bytes;
}
