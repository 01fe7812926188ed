/** DWARF register numbers of x86-64 (System V psABI, figure 3.36) and their names. */

const NAMES = new Map<number, string>();
const NUMBERS = new Map<string, number>();

function add(first: number, names: readonly string[]): void {
  names.forEach((name, i) => {
    NAMES.set(first + i, name);
    NUMBERS.set(name, first + i);
  });
}

add(0, ['rax', 'rdx', 'rcx', 'rbx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13', 'r14', 'r15', 'rip']);
add(
  17,
  Array.from({ length: 16 }, (_, i) => `xmm${i}`),
);
add(
  33,
  Array.from({ length: 8 }, (_, i) => `st${i}`),
);
add(
  41,
  Array.from({ length: 8 }, (_, i) => `mm${i}`),
);
add(49, ['rflags', 'es', 'cs', 'ss', 'ds', 'fs', 'gs']);
add(58, ['fs.base', 'gs.base']);
add(62, ['tr', 'ldtr', 'mxcsr', 'fcw', 'fsw']);
add(
  67,
  Array.from({ length: 16 }, (_, i) => `xmm${i + 16}`),
);
add(
  118,
  Array.from({ length: 8 }, (_, i) => `k${i}`),
);

/** The number of the return address column, and of the stack and frame pointers. */
export const RIP = 16;
export const RSP = 7;
export const RBP = 6;

/** Registers that a called function preserves (psABI, section 3.2.1). */
export const CALLEE_SAVED: ReadonlySet<number> = new Set([3, 6, 7, 12, 13, 14, 15]);

export function dwarfRegisterName(dwarfNumber: number): string | undefined {
  return NAMES.get(dwarfNumber);
}

export function dwarfRegisterNumber(name: string): number | undefined {
  return NUMBERS.get(name);
}

/** Width in bytes of the register with this DWARF number; 8 for unknown ones. */
export function dwarfRegisterSize(dwarfNumber: number): number {
  if ((dwarfNumber >= 17 && dwarfNumber <= 32) || (dwarfNumber >= 67 && dwarfNumber <= 82)) return 16;
  if (dwarfNumber >= 33 && dwarfNumber <= 40) return 10;
  if (dwarfNumber >= 50 && dwarfNumber <= 55) return 2;
  if (dwarfNumber === 64) return 4;
  if (dwarfNumber === 65 || dwarfNumber === 66) return 2;
  return 8;
}
