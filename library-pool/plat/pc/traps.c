/* SPDX-License-Identifier: BSD-3-Clause */
/* Exceptions and interrupts: descriptor tables, dispatch, the crash report. */
#include <uk/arch/lcpu.h>
#include <uk/arch/ctx.h>
#include <uk/config.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/syscall.h>
#include <pc/pc.h>
#include <x86/cpu.h>

#define STACK_SIZE	16384

struct gate {
	uint16_t offset_lo;
	uint16_t selector;
	uint8_t ist;
	uint8_t type;
	uint16_t offset_mid;
	uint32_t offset_hi;
	uint32_t reserved;
} __packed;

struct tss {
	uint32_t reserved0;
	uint64_t rsp[3];
	uint64_t reserved1;
	uint64_t ist[7];
	uint64_t reserved2;
	uint16_t reserved3;
	uint16_t iomap;
} __packed;

UK_CTASSERT(sizeof(struct tss) == 0x68);

struct table_desc {
	uint16_t limit;
	uint64_t base;
} __packed;

#define IST_IRQ		1
#define IST_TRAP	2
#define IST_CRITICAL	3

extern uint64_t pc_gdt[];
extern char pc_trap_stubs[];
extern char pc_trap_to_handler[], pc_syscall_jump[], pc_syscall_iret[];
extern char _text[], _etext[];

static struct gate idt[256] __align(16);
static struct tss tss __align(16);
static char ist_stacks[3][STACK_SIZE] __align(16);

static const char *const trap_names[] = {
	"divide error", "debug exception", "non-maskable interrupt",
	"breakpoint", "overflow", "bound range exceeded", "invalid opcode",
	"no coprocessor", "double fault", "coprocessor overrun", "invalid TSS",
	"segment not present", "stack fault", "general protection",
	"page fault", "reserved", "x87 error", "alignment check",
	"machine check", "SIMD error",
};

static unsigned int ist_of(unsigned int vec)
{
	if (vec >= PC_IRQ_BASE)
		return IST_IRQ;
	/* #DB, NMI, #BP, #DF and #MC can come while another trap is handled. */
	if ((vec >= 1 && vec <= 3) || vec == 8 || vec == 18)
		return IST_CRITICAL;
	return IST_TRAP;
}

void pc_traps_init(void)
{
	struct table_desc desc = { sizeof(idt) - 1, (uint64_t)idt };
	uint64_t base = (uint64_t)&tss;
	unsigned int i;

	for (i = 0; i < 3; i++)
		tss.ist[i] = (uint64_t)&ist_stacks[i][STACK_SIZE];
	tss.iomap = sizeof(tss);
	pc_gdt[3] = (sizeof(tss) - 1) | ((base & 0xffffff) << 16) |
		    (0x89ULL << 40) | (((base >> 24) & 0xff) << 56);
	pc_gdt[4] = base >> 32;
	__asm__ __volatile__("ltr %w0" :: "r"(PC_GDT_TSS));

	for (i = 0; i < 256; i++) {
		uint64_t entry = (uint64_t)pc_trap_stubs + i * 16;

		idt[i].offset_lo = (uint16_t)entry;
		idt[i].offset_mid = (uint16_t)(entry >> 16);
		idt[i].offset_hi = (uint32_t)(entry >> 32);
		idt[i].selector = PC_GDT_CODE64;
		idt[i].ist = (uint8_t)ist_of(i);
		idt[i].type = 0x8e;	/* interrupt gate, present, DPL 0 */
	}
	__asm__ __volatile__("lidt %0" :: "m"(desc));
}

static void put_hex(const char *name, uint64_t v)
{
	char text[20];
	int i;

	for (i = 0; i < 16; i++) {
		unsigned int digit = (v >> (60 - 4 * i)) & 15;

		text[i] = (char)(digit < 10 ? '0' + digit : 'a' + digit - 10);
	}
	text[16] = 0;
	pc_emergency_puts(name);
	pc_emergency_puts(text);
}

/* Follows saved frame pointers as long as they look like ones. */
static void put_backtrace(const struct __regs *regs)
{
	uint64_t fp = regs->rbp;
	int depth;

	put_hex("\nCalled from:\n  ", regs->rip);
	for (depth = 0; depth < 32; depth++) {
		const uint64_t *frame = (const uint64_t *)fp;

		if (fp < 0x1000 || (fp & 7) || fp >= 0x100000000ULL)
			break;
		if (frame[1] < (uint64_t)_text || frame[1] >= (uint64_t)_etext)
			break;
		put_hex("\n  ", frame[1]);
		if (frame[0] <= fp)
			break;
		fp = frame[0];
	}
	pc_emergency_puts("\n");
}

void ukplat_trap_report(unsigned int vec, uint64_t error, uintptr_t addr,
			const struct __regs *regs)
{
	pc_emergency_puts("\nUnhandled trap: ");
	pc_emergency_puts(vec < ARRAY_SIZE(trap_names) ? trap_names[vec]
						       : "unknown vector");
	put_hex("\n  vec ", vec);
	put_hex("  err ", error);
	put_hex("  cr2 ", addr);
	put_hex("\n  rip ", regs->rip);
	put_hex("  rsp ", regs->rsp);
	put_hex("  rfl ", regs->eflags);
	put_hex("\n  rax ", regs->rax);
	put_hex("  rbx ", regs->rbx);
	put_hex("  rcx ", regs->rcx);
	put_hex("\n  rdx ", regs->rdx);
	put_hex("  rsi ", regs->rsi);
	put_hex("  rdi ", regs->rdi);
	put_hex("\n  rbp ", regs->rbp);
	put_hex("  r8  ", regs->r8);
	put_hex("  r9  ", regs->r9);
	put_hex("\n  r10 ", regs->r10);
	put_hex("  r11 ", regs->r11);
	put_hex("  r12 ", regs->r12);
	put_hex("\n  r13 ", regs->r13);
	put_hex("  r14 ", regs->r14);
	put_hex("  r15 ", regs->r15);
	put_backtrace(regs);
}

ukplat_trap_handler pc_trap_handler;

void ukplat_trap_register(ukplat_trap_handler handler)
{
	pc_trap_handler = handler;
}

#if CONFIG_LIBSYSCALL_SHIM_HANDLER
/* The way back into a program that was given no address to go to. */
static bool is_return(struct __regs *regs)
{
	if (regs->rip == (uint64_t)pc_syscall_jump) {
		regs->rip = regs->rcx;
		return true;
	}
	if (regs->rip == (uint64_t)pc_syscall_iret) {
		const uint64_t *frame = (const uint64_t *)regs->rsp;

		regs->rip = frame[0];
		regs->eflags = frame[2];
		regs->rsp = frame[3];
		return true;
	}
	return false;
}

/* Has a trap go on in the handler; false where that cannot be. */
static bool to_handler(unsigned int vec, struct __regs *regs)
{
	uintptr_t auxsp = ukplat_lcpu_get_auxsp();
	struct ukarch_auxspcb *cb = ukarch_auxsp_get_cb(auxsp);
	bool in_kernel = !is_return(regs) && regs->rip >= (uint64_t)_text &&
			 regs->rip < (uint64_t)_etext;
	/* What comes from outside, or tells of a broken machine. */
	bool ours = vec == PC_IRQ_BASE ||
		    (vec < 32 && vec != 2 && vec != 8 && vec != 18);
	struct uk_syscall_ctx *usc = (struct uk_syscall_ctx *)cb->curr_fp;

	if (!pc_trap_handler || !ours)
		return false;
	if (in_kernel) {
		/* Only what a system call does with a program's pointers. */
		if ((vec != 13 && vec != 14) ||
		    cb->curr_fp == auxsp - UKARCH_AUXSPCB_SIZE)
			return false;
	} else {
		usc = (struct uk_syscall_ctx *)(cb->curr_fp -
						UK_SYSCALL_CTX_SLOT);
		usc->execenv.regs = *regs;
		usc->auxsp = auxsp;
		cb->curr_fp = (uintptr_t)usc;
	}
	regs->rdi = (uint64_t)usc;
	regs->rsi = vec;
	regs->rdx = regs->orig_rax;
	regs->rcx = vec == 14 ? x86_read_cr2() : 0;
	regs->r8 = in_kernel;
	/* No system call: none is made again. */
	usc->execenv.regs.orig_rax = ~0UL;
	regs->rip = (uint64_t)pc_trap_to_handler;
	regs->rsp = (uint64_t)usc;
	regs->eflags = 2;
	return true;
}
#else
/* Where there are no system calls to leave, there are no programs. */
static bool to_handler(unsigned int vec __unused, struct __regs *regs __unused)
{
	return false;
}
#endif

void pc_trap(unsigned int vec, struct __regs *regs)
{
	if (vec >= PC_IRQ_BASE && vec < PC_IRQ_BASE + 16) {
		pc_irq_handle(vec - PC_IRQ_BASE);
		/* A program's turn is over; the kernel goes on. */
		if (vec == PC_IRQ_BASE)
			to_handler(vec, regs);
		return;
	}
	if (to_handler(vec, regs))
		return;
	ukplat_trap_report(vec, regs->orig_rax, x86_read_cr2(), regs);
	ukplat_crash();
}
