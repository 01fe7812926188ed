/* Moves the kernel onto 4 KiB pages whose frames are in a shuffled order, then runs it: no two neighbouring pages are neighbours in memory. */
typedef unsigned long u64;
typedef unsigned char u8;

#define BASE 0x200000ul
#define PAGES 2048ul /* 8 MiB from BASE on: all of the kernel */
#define FRAMES 0x2000000ul

static u64 pml4s[512] __attribute__((aligned(4096))), pdpts[512] __attribute__((aligned(4096))), pds[512] __attribute__((aligned(4096)));
static u64 tables[PAGES] __attribute__((aligned(4096)));
extern void bench_main(void);

/* An odd factor makes a permutation of the page numbers. */
static u64 frame(u64 page) { return FRAMES + ((page * 1181 + 77) % PAGES) * 4096; }

__attribute__((noinline)) static void move(void) {
    for (u64 page = 0; page < PAGES; page++) {
        u64 *from = (u64 *)(BASE + page * 4096), *to = (u64 *)frame(page);
        for (int i = 0; i < 512; i++) to[i] = from[i];
    }
    __asm__ volatile("mov %0, %%cr3" : : "r"(pml4s) : "memory");
}

#undef kmain
void kmain(void) {
    pml4s[0] = (u64)pdpts + 3;
    pdpts[0] = (u64)pds + 3;
    for (u64 i = 0; i < 512; i++) pds[i] = (i << 21) + 0x83;
    for (u64 page = 0; page < PAGES; page++) tables[page] = frame(page) + 3;
    for (u64 i = 0; i < PAGES / 512; i++) pds[(BASE >> 21) + i] = (u64)(tables + 512 * i) + 3;
    move();
    bench_main();
}
