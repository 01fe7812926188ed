/* SPDX-License-Identifier: BSD-3-Clause */
/* Sets x87 and SSE up and chooses how contexts are saved. */
#include <uk/arch/ctx.h>
#include <x86/cpu.h>

void ukarch_ctx_early_init(void)
{
	uint32_t mxcsr = 0x1f80;

	x86_write_cr0((x86_read_cr0() & ~(uint64_t)X86_CR0_EM) | X86_CR0_MP |
		      X86_CR0_NE);
	__asm__ __volatile__("fninit; ldmxcsr %0" :: "m"(mxcsr));
	x86_ectx_init();
	x86_sysctx_init();
}
