/* Runs x87 instructions on this processor: reads cases from standard input, writes what became of the unit. x86-64 Linux only.
 *
 * A case is 144 bytes: 0 instruction bytes (memory operand encoded as [rsi]), 15 their count, 16 the unit's image in FSAVE's 32-bit
 * protected format (108 bytes), 124 the operand (16 bytes), 140 RFLAGS to begin with (CF, PF, ZF).
 * A result is 144 bytes: 0 the image after it (108 bytes), 108 the operand (16), 124 RFLAGS, 128 AX.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

typedef struct { uint8_t code[15], count, image[108], operand[16]; uint32_t flags; } Case;
typedef struct { uint8_t image[108], operand[16]; uint32_t flags; uint16_t ax, pad[7]; } Result;

int main(void)
{
  uint8_t *page = mmap(0, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return 2;
  /* rdi: image in, rsi: operand, rdx: result, ecx: flags */
  static const uint8_t head[] = {
    0xdd, 0x27,                   /* frstor [rdi] */
    0x51, 0x9d };                 /* push rcx; popfq */
  static const uint8_t tail[] = {
    0x9c,                         /* pushfq */
    0xdd, 0x32,                   /* fnsave [rdx] */
    0x59,                         /* pop rcx */
    0x89, 0x4a, 0x7c,             /* mov [rdx+124], ecx */
    0x66, 0x89, 0x82, 0x80, 0, 0, 0, /* mov [rdx+128], ax */
    0xdb, 0xe3, 0xc3 };           /* fninit; ret */
  Case c;
  while (fread(&c, sizeof c, 1, stdin) == 1) {
    Result r;
    memset(&r, 0, sizeof r);
    size_t n = 0;
    memcpy(page, head, sizeof head), n = sizeof head;
    page[n++] = 0xb8; memset(page + n, 0, 4); n += 4; /* mov eax, 0 */
    memcpy(page + n, c.code, c.count), n += c.count;
    memcpy(page + n, tail, sizeof tail);
    ((void (*)(void *, void *, void *, uint64_t))page)(c.image, c.operand, &r, (c.flags & 0x45) | 2);
    memcpy(r.operand, c.operand, 16);
    fwrite(&r, sizeof r, 1, stdout);
  }
  return 0;
}
