/** The relocation types of x86-64 (AMD64 ABI supplement, section 4.4). */

export const R_X86_64 = {
  NONE: 0,
  64: 1,
  PC32: 2,
  PLT32: 4,
  RELATIVE: 8,
  GOTPCREL: 9,
  32: 10,
  '32S': 11,
  16: 12,
  PC16: 13,
  8: 14,
  PC8: 15,
  DTPOFF64: 17,
  TPOFF64: 18,
  TLSGD: 19,
  TLSLD: 20,
  DTPOFF32: 21,
  GOTTPOFF: 22,
  TPOFF32: 23,
  PC64: 24,
  GOTOFF64: 25,
  GOTPC32: 26,
  SIZE32: 32,
  SIZE64: 33,
  GOTPC32_TLSDESC: 34,
  TLSDESC_CALL: 35,
  IRELATIVE: 37,
  GOTPCRELX: 41,
  REX_GOTPCRELX: 42,
} as const;

const NAMES = new Map<number, string>(Object.entries(R_X86_64).map(([name, type]) => [type, `R_X86_64_${name}`]));

/** Name of a type, e.g. `R_X86_64_PC32`. */
export function relocationName(type: number): string {
  return NAMES.get(type) ?? `relocation ${type}`;
}

/**
 * How a load from the GOT can become an instruction without it (AMD64 ABI, B.2 "Optimize GOTPCRELX Relocations"); `at` is the offset of the
 * 32-bit field. Undefined: the instruction has no such form.
 */
export function gotRelaxation(data: Uint8Array, at: number): 'lea' | 'call' | 'jmp' | undefined {
  if (at < 2 || at + 4 > data.length) return undefined;
  const opcode = data[at - 2]!;
  const modrm = data[at - 1]!;
  if (opcode === 0x8b && (modrm & 0xc7) === 0x05) return 'lea';
  if (opcode === 0xff && modrm === 0x15) return 'call';
  if (opcode === 0xff && modrm === 0x25) return 'jmp';
  return undefined;
}

/** Whether `mov`/`add sym@GOTTPOFF(%rip), %reg` can take the offset as an immediate (initial-exec to local-exec). */
export function tpRelaxation(data: Uint8Array, at: number): 'mov' | 'add' | undefined {
  if (at < 3 || at + 4 > data.length || (data[at - 3]! & 0xfb) !== 0x48 || (data[at - 1]! & 0xc7) !== 0x05) return undefined;
  return data[at - 2] === 0x8b ? 'mov' : data[at - 2] === 0x03 ? 'add' : undefined;
}

/** Bytes before the field of a TLSGD sequence: `data16 lea x@tlsgd(%rip), %rdi`, then a call of __tls_get_addr with prefixes. */
export function isTlsGd(data: Uint8Array, at: number): boolean {
  return (
    at >= 4 && at + 12 <= data.length && data[at - 4] === 0x66 && data[at - 3] === 0x48 && data[at - 2] === 0x8d && data[at - 1] === 0x3d
  );
}

/** Length of a TLSLD sequence after its field: 5 for `call`, 6 for `call *…(%rip)`; 0 where it is none. */
export function tlsLdCall(data: Uint8Array, at: number): 0 | 5 | 6 {
  if (at < 3 || at + 10 > data.length || data[at - 3] !== 0x48 || data[at - 2] !== 0x8d || data[at - 1] !== 0x3d) return 0;
  if (data[at + 4] === 0xe8 && at + 9 <= data.length) return 5;
  if (data[at + 4] === 0xff && data[at + 5] === 0x15) return 6;
  return 0;
}
