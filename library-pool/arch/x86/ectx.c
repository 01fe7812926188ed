/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Extended registers. This file is compiled for general registers only: it
 * runs between an application's registers and their safe place.
 */
#include <uk/arch/ctx.h>
#include <x86/cpu.h>

enum save_method {
	SAVE_FXSAVE,
	SAVE_XSAVE,
	SAVE_XSAVEOPT,
};

static enum save_method save_method;

/* The 64 bytes after the legacy area, where XRSTOR refuses stray bits. */
#define XSAVE_HEADER	512
#define MXCSR		24
#define MXCSR_MASK	0xffffU

void x86_ectx_init(void)
{
	uint32_t a, b, c, d;

	x86_cpuid(1, 0, &a, &b, &c, &d);
	/*
	 * XSAVE without AVX would leave XCR0 at x87 only, and SSE registers
	 * would then not be saved; FXSAVE does the same work on such machines.
	 */
	if (!(c & X86_CPUID1_ECX_XSAVE) || !(c & X86_CPUID1_ECX_AVX))
		return;
	x86_write_cr4(x86_read_cr4() | X86_CR4_OSXSAVE);
	x86_xsetbv(0, X86_XCR0_X87 | X86_XCR0_SSE | X86_XCR0_AVX);
	x86_cpuid(0xd, 1, &a, &b, &c, &d);
	save_method = (a & 1) ? SAVE_XSAVEOPT : SAVE_XSAVE;
}

void ukarch_ectx_sanitize(void *ectx)
{
	uint64_t *header = (uint64_t *)((char *)ectx + XSAVE_HEADER);
	int i;

	for (i = 0; i < 8; i++)
		header[i] = 0;
}

void ukarch_ectx_check(void *ectx)
{
	uint64_t *header = (uint64_t *)((char *)ectx + XSAVE_HEADER);
	uint64_t parts = header[0] & (X86_XCR0_X87 | X86_XCR0_SSE |
				      X86_XCR0_AVX);

	ukarch_ectx_sanitize(ectx);
	header[0] = parts;
	((uint32_t *)ectx)[MXCSR / 4] &= MXCSR_MASK;
}

void ukarch_ectx_store(void *ectx)
{
	switch (save_method) {
	case SAVE_FXSAVE:
		__asm__ __volatile__("fxsave64 (%0)" :: "r"(ectx) : "memory");
		break;
	case SAVE_XSAVE:
		__asm__ __volatile__("xsave64 (%0)"
				     :: "r"(ectx), "a"(-1), "d"(-1) : "memory");
		break;
	case SAVE_XSAVEOPT:
		__asm__ __volatile__("xsaveopt64 (%0)"
				     :: "r"(ectx), "a"(-1), "d"(-1) : "memory");
		break;
	}
}

void ukarch_ectx_load(void *ectx)
{
	if (save_method == SAVE_FXSAVE)
		__asm__ __volatile__("fxrstor64 (%0)" :: "r"(ectx) : "memory");
	else
		__asm__ __volatile__("xrstor64 (%0)"
				     :: "r"(ectx), "a"(-1), "d"(-1) : "memory");
}
