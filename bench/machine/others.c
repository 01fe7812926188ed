/* Loops that stress what the nine workloads do not: system calls at CPL 0 (as a unikernel's trapped calls are), software interrupts, much hot code. */
typedef unsigned long u64;
typedef unsigned int u32;
typedef unsigned short u16;
typedef unsigned char u8;

static inline void outb(u16 port, u8 value) { __asm__ volatile("outb %0,%1" : : "a"(value), "Nd"(port)); }
static void put(const char *s) { while (*s) outb(0x3f8, *s++); }
static void hex(u64 x) { for (int i = 60; i >= 0; i -= 4) outb(0x3f8, "0123456789abcdef"[(x >> i) & 15]); }
static void wrmsr(u32 msr, u64 v) { __asm__ volatile("wrmsr" : : "c"(msr), "a"((u32)v), "d"((u32)(v >> 32))); }
static u64 rdmsr(u32 msr) { u32 a, d; __asm__ volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(msr)); return (u64)d << 32 | a; }

u64 count;
struct gate { u16 low, selector, kind, middle; u32 high, zero; };
static struct gate idt[256] __attribute__((aligned(16)));
extern u64 hot(u64 reps);

__asm__(".globl on_syscall\non_syscall: addq $1, count\n push %r11\n popfq\n jmp *%rcx\n"
        ".globl on_interrupt\non_interrupt: push %rax\n mov count, %rax\n add $1, %rax\n mov %rax, count\n pop %rax\n iretq\n");
extern void on_syscall(void), on_interrupt(void);

static u64 syscalls(u64 reps) {
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    wrmsr(0xc0000081, 8ul << 32);
    wrmsr(0xc0000082, (u64)on_syscall);
    wrmsr(0xc0000084, 0);
    count = 0;
    for (u64 i = 0; i < reps; i++) __asm__ volatile("syscall" : : "a"(i) : "rcx", "r11", "memory");
    return count;
}

static u64 interrupts(u64 reps) {
    u64 at = (u64)on_interrupt;
    idt[0x40] = (struct gate){ (u16)at, 8, 0x8e00, (u16)(at >> 16), (u32)(at >> 32), 0 };
    struct { u16 limit; u64 base; } __attribute__((packed)) pointer = { sizeof idt - 1, (u64)idt };
    __asm__ volatile("lidt %0" : : "m"(pointer));
    count = 0;
    for (u64 i = 0; i < reps; i++) __asm__ volatile("int $0x40" : : : "memory");
    return count;
}

static void run(const char *name, u64 (*f)(u64), u64 reps) {
    put("S "); put(name); put("\n");
    u64 x = f(reps);
    put("E "); put(name); put(" "); hex(x); put("\n");
}

void kmain(void) {
    run("hotcode", hot, 2000);
    run("stillhot", hot, 20000);
    run("syscalls", syscalls, 2000000);
    run("interrupts", interrupts, 1000000);
    put("DONE\n");
    outb(0xf4, 0);
}
