/** Loops of one system call each, as machine code that may lie anywhere. */

/** mov eax, 39; syscall; jmp back. */
const getpid = Uint8Array.of(0xb8, 39, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xf7);
const text = [...new TextEncoder().encode('/no/such/file\0')];
/** mov eax, 1; mov edi, -1; lea rsi, [text]; mov edx, 8; syscall; jmp back: what is to be written is read for the trace. */
const write = Uint8Array.from(
  [0xb8, 1, 0, 0, 0, 0xbf, 0xff, 0xff, 0xff, 0xff, 0x48, 0x8d, 0x35, 9, 0, 0, 0, 0xba, 8, 0, 0, 0, 0x0f, 0x05, 0xeb, 0xe6].concat(text),
);
/** mov eax, 257; mov edi, -100; lea rsi, [text]; xor edx, edx; syscall; jmp back: the path is read for the trace. */
const openat = Uint8Array.from(
  [0xb8, 1, 1, 0, 0, 0xbf, 0x9c, 0xff, 0xff, 0xff, 0x48, 0x8d, 0x35, 6, 0, 0, 0, 0x31, 0xd2, 0x0f, 0x05, 0xeb, 0xe9].concat(text),
);
/** mov eax, 228; xor edi, edi; lea rsi, [rsp - 512]; syscall; jmp back: what the kernel fills in is read for the trace. */
const clockGettime = Uint8Array.of(0xb8, 228, 0, 0, 0, 0x31, 0xff, 0x48, 0x8d, 0xb4, 0x24, 0, 0xfe, 0xff, 0xff, 0x0f, 0x05, 0xeb, 0xed);

/** By the name of the call. */
export const loops = { getpid, write, openat, clock_gettime: clockGettime } as const;
