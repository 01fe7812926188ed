/*
 * The oracle of the lock-step tests: runs given instructions on the CPU underneath, each from a given state, and reports the state that follows.
 *
 * Everything happens inside one signal handler. A case is loaded into the signal's saved context (registers, flags with TF, FXSAVE image), sigreturn
 * enters it, the CPU runs one instruction and traps, and the next signal's saved context is the result: a single step, a fault or a breakpoint
 * arrive by the same way. The handler uses no thread-local storage, so FS and GS bases belong to the cases: build it with `-fno-stack-protector -mno-red-zone`
 * and `-Wl,-z,now`, because the dynamic linker, were it to run in the handler, does use it.
 *
 * Input on stdin: u32 count, then `count` cases of 1024 bytes; output: `count` results of 1024 bytes; until end of file. See `native.ts` for the layout.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define DATA 0x10000000ul
#define DATA_RW 0x2000ul
#define DATA_ALL 0x3000ul
#define CODE 0x20000000ul
#define CODE_SIZE 0x2000ul
#define WINDOW 0xf80ul
#define WINDOW_SIZE 256ul
#define BATCH 4096u

/* Flags of a case. */
#define RUN_TO_END 1u /* no TF: runs to the INT3 after the code */
#define COMPAT 2u     /* 32-bit code segment */

struct image {
  uint32_t id;
  union {
    struct {
      uint8_t code_length, run;
      uint16_t code_offset;
    };
    uint32_t trap;
  };
  union {
    uint8_t code[64];
    struct {
      uint32_t signal, error;
      uint64_t cr2, rip;
    };
  };
  uint64_t rflags;
  uint64_t gpr[16];
  uint8_t fx[512];
  uint64_t fs_base, gs_base;
  uint8_t window[WINDOW_SIZE];
  uint32_t stray, stray_offset;
  uint8_t stray_bytes[24];
};
_Static_assert(sizeof(struct image) == 1024, "a case is 1024 bytes");

static struct image cases[BATCH], results[BATCH];
static uint32_t count, next;
static uint8_t pattern[DATA_ALL];
static uint8_t *code_alias, *data_alias;
static uint8_t alternate[1 << 16] __attribute__((aligned(64)));

static long sys3(long n, long a, long b, long c) {
  long r;
  __asm__ volatile("syscall" : "=a"(r) : "a"(n), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
  return r;
}
static void quit(int status) {
  for (;;) sys3(SYS_exit_group, status, 0, 0);
}
/* Reads exactly `size` bytes; 0 on a clean end of file before the first. */
static int read_all(void *to, size_t size) {
  size_t have = 0;
  while (have < size) {
    long got = sys3(SYS_read, 0, (long)((char *)to + have), (long)(size - have));
    if (got == -4) continue;
    if (got <= 0) {
      if (have == 0 && got == 0) return 0;
      quit(2);
    }
    have += (size_t)got;
  }
  return 1;
}
static void write_all(const void *from, size_t size) {
  size_t sent = 0;
  while (sent < size) {
    long put = sys3(SYS_write, 1, (long)((const char *)from + sent), (long)(size - sent));
    if (put == -4) continue;
    if (put <= 0) quit(3);
    sent += (size_t)put;
  }
}

/* Order of the encodings: rax rcx rdx rbx rsp rbp rsi rdi r8.. */
static const int order[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                              REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};
static uint16_t usual_cs, usual_ss;
static int started;

static void collect(int number, const mcontext_t *m) {
  const struct image *c = &cases[next];
  struct image *r = &results[next];
  memset(r, 0, sizeof *r);
  r->id = c->id;
  r->signal = (uint32_t)number;
  r->trap = (uint32_t)m->gregs[REG_TRAPNO];
  r->error = (uint32_t)m->gregs[REG_ERR];
  r->cr2 = (uint64_t)m->gregs[REG_CR2];
  r->rip = (uint64_t)m->gregs[REG_RIP];
  r->rflags = (uint64_t)m->gregs[REG_EFL];
  for (int i = 0; i < 16; i++) r->gpr[i] = (uint64_t)m->gregs[order[i]];
  memcpy(r->fx, m->fpregs, 512);
  __asm__ volatile("rdfsbase %0" : "=r"(r->fs_base));
  __asm__ volatile("rdgsbase %0" : "=r"(r->gs_base));
  memcpy(r->window, data_alias + WINDOW, WINDOW_SIZE);
  memcpy(data_alias + WINDOW, pattern + WINDOW, WINDOW_SIZE);
  if (memcmp(data_alias, pattern, DATA_RW) != 0) {
    for (size_t i = 0; i < DATA_RW; i++)
      if (data_alias[i] != pattern[i]) {
        if (r->stray++ == 0) {
          r->stray_offset = (uint32_t)i;
          for (size_t k = 0; k < sizeof r->stray_bytes && i + k < DATA_RW; k++) r->stray_bytes[k] = data_alias[i + k];
        }
      }
    memcpy(data_alias, pattern, DATA_RW);
  }
  memset(code_alias + c->code_offset, 0xcc, c->code_length);
}

static void load(mcontext_t *m) {
  const struct image *c = &cases[next];
  memcpy(code_alias + c->code_offset, c->code, c->code_length);
  memcpy(data_alias + WINDOW, c->window, WINDOW_SIZE);
  for (int i = 0; i < 16; i++) m->gregs[order[i]] = (greg_t)c->gpr[i];
  m->gregs[REG_RIP] = (greg_t)(CODE + c->code_offset);
  m->gregs[REG_EFL] = (greg_t)(c->rflags | (c->run & RUN_TO_END ? 0 : 0x100));
  uint64_t segments = (uint64_t)m->gregs[REG_CSGSFS] & 0x0000ffffffff0000ul;
  uint64_t cs = c->run & COMPAT ? 0x23 : usual_cs;
  m->gregs[REG_CSGSFS] = (greg_t)(segments | cs | (uint64_t)usual_ss << 48);
  uint8_t *fx = (uint8_t *)m->fpregs;
  uint32_t mask;
  memcpy(&mask, fx + 28, 4);
  memcpy(fx, c->fx, 464); /* bytes 464.. are the kernel's own */
  memcpy(fx + 28, &mask, 4);
  uint64_t features;
  memcpy(&features, fx + 512, 8);
  features |= 3; /* x87 and SSE come from the image, not from their initial values */
  memcpy(fx + 512, &features, 8);
  __asm__ volatile("wrfsbase %0" : : "r"(c->fs_base));
  __asm__ volatile("wrgsbase %0" : : "r"(c->gs_base));
}

static void handler(int number, siginfo_t *info, void *context) {
  (void)info;
  /* A case may have set AC, with which the handler could not live, or NT and ID, which sigreturn takes from the flags in force. */
  __asm__ volatile("pushq $0x202\n\tpopfq" : : : "memory", "cc");
  mcontext_t *m = &((ucontext_t *)context)->uc_mcontext;
  if (!started) {
    started = 1;
    usual_cs = (uint16_t)m->gregs[REG_CSGSFS];
    usual_ss = (uint16_t)((uint64_t)m->gregs[REG_CSGSFS] >> 48);
  } else {
    collect(number, m);
    next++;
  }
  while (next == count) {
    if (count > 0) write_all(results, count * sizeof results[0]);
    next = 0;
    if (!read_all(&count, 4)) quit(0);
    if (count > BATCH) quit(4);
    if (count > 0) read_all(cases, count * sizeof cases[0]);
  }
  load(m);
}

static void *map_at(unsigned long address, size_t size, int protection, int file, off_t offset) {
  void *p = mmap((void *)address, size, protection, MAP_SHARED | MAP_POPULATE | (address ? MAP_FIXED_NOREPLACE : 0), file, offset);
  if (p == MAP_FAILED) quit(5);
  return p;
}

int main(void) {
  int file = memfd_create("cases", 0);
  if (file < 0 || ftruncate(file, (off_t)(DATA_ALL + CODE_SIZE)) != 0) quit(6);
  data_alias = map_at(0, DATA_ALL + CODE_SIZE, PROT_READ | PROT_WRITE, file, 0);
  code_alias = data_alias + DATA_ALL;
  for (size_t i = 0; i < DATA_ALL; i++) pattern[i] = (uint8_t)((uint32_t)(i * 2654435761u) >> 24);
  memcpy(data_alias, pattern, DATA_ALL);
  memset(code_alias, 0xcc, CODE_SIZE);
  map_at(DATA, DATA_RW, PROT_READ | PROT_WRITE, file, 0);
  map_at(DATA + DATA_RW, DATA_ALL - DATA_RW, PROT_READ, file, (off_t)DATA_RW);
  map_at(CODE, CODE_SIZE, PROT_READ | PROT_EXEC, file, (off_t)DATA_ALL);
  stack_t stack = {.ss_sp = alternate, .ss_size = sizeof alternate, .ss_flags = 0};
  if (sigaltstack(&stack, 0) != 0) quit(7);
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_sigaction = handler;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  static const int signals[] = {SIGTRAP, SIGSEGV, SIGBUS, SIGILL, SIGFPE};
  for (size_t i = 0; i < sizeof signals / sizeof signals[0]; i++)
    if (sigaction(signals[i], &action, 0) != 0) quit(8);
  __asm__ volatile("int3");
  quit(9);
}
