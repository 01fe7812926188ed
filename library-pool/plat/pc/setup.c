/* SPDX-License-Identifier: BSD-3-Clause */
/* From the boot protocol's C entry to ukboot: processor, traps, devices. */
#include <uk/config.h>
#include <uk/arch/ctx.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <pc/pc.h>
#include <x86/cpu.h>

struct lcpu lcpus[1];

extern char pc_boot_stack_end[];

#if CONFIG_HAVE_SYSCALL
extern char _ukplat_syscall[];

static void syscall_init(void)
{
	/*
	 * SYSCALL takes CS and SS (CS + 8) from bits 47:32. The privilege level
	 * does not change, since everything runs in ring 0.
	 */
	x86_wrmsr(X86_MSR_STAR, ((uint64_t)PC_GDT_CODE64 << 48) |
				((uint64_t)PC_GDT_CODE64 << 32));
	x86_wrmsr(X86_MSR_LSTAR, (uint64_t)_ukplat_syscall);
	x86_wrmsr(X86_MSR_SFMASK, X86_EFLAGS_TF | X86_EFLAGS_IF |
				  X86_EFLAGS_DF | X86_EFLAGS_NT |
				  X86_EFLAGS_AC);
	x86_wrmsr(X86_MSR_EFER, x86_rdmsr(X86_MSR_EFER) | X86_EFER_SCE);
}
#else
static void syscall_init(void) { }
#endif

void pc_start(void)
{
	struct lcpu *lcpu = &lcpus[0];
	static char argv0[] = "unikernel";

	lcpu->state = LCPU_STATE_BUSY;
	lcpu->stackp = (uintptr_t)pc_boot_stack_end;
	/* Both, so that SWAPGS finds the block whichever one is active. */
	x86_wrmsr(X86_MSR_GS_BASE, (uint64_t)lcpu);
	x86_wrmsr(X86_MSR_KERNEL_GS_BASE, (uint64_t)lcpu);

	ukarch_ctx_early_init();
	pc_traps_init();
	pc_com_init();
	pc_pic_init();
	pc_time_init();
	syscall_init();
	ukplat_entry_argp(argv0, ukplat_bootinfo_get()->cmdline);
}
