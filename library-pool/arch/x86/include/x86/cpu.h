/* SPDX-License-Identifier: BSD-3-Clause */
/* Processor instructions that C has no words for. */
#ifndef X86_CPU_H
#define X86_CPU_H

#define X86_CR0_PE	(1 << 0)
#define X86_CR0_MP	(1 << 1)
#define X86_CR0_EM	(1 << 2)
#define X86_CR0_NE	(1 << 5)
#define X86_CR0_WP	(1 << 16)
#define X86_CR0_PG	(1 << 31)

#define X86_CR4_PAE		(1 << 5)
#define X86_CR4_OSFXSR		(1 << 9)
#define X86_CR4_OSXMMEXCPT	(1 << 10)
#define X86_CR4_FSGSBASE	(1 << 16)
#define X86_CR4_OSXSAVE		(1 << 18)

#define X86_XCR0_X87	1
#define X86_XCR0_SSE	2
#define X86_XCR0_AVX	4

#define X86_CPUID1_ECX_XSAVE	(1 << 26)
#define X86_CPUID1_ECX_AVX	(1 << 28)
#define X86_CPUID7_EBX_FSGSBASE	(1 << 0)

#define X86_MSR_EFER		0xc0000080
#define X86_EFER_SCE		(1 << 0)
#define X86_EFER_LME		(1 << 8)
#define X86_MSR_STAR		0xc0000081
#define X86_MSR_LSTAR		0xc0000082
#define X86_MSR_SFMASK		0xc0000084
#define X86_MSR_FS_BASE		0xc0000100
#define X86_MSR_GS_BASE		0xc0000101
#define X86_MSR_KERNEL_GS_BASE	0xc0000102

#define X86_EFLAGS_TF	(1 << 8)
#define X86_EFLAGS_IF	(1 << 9)
#define X86_EFLAGS_DF	(1 << 10)
#define X86_EFLAGS_NT	(1 << 14)
#define X86_EFLAGS_AC	(1 << 18)

#ifndef __ASSEMBLER__
#include <stdint.h>

static inline void x86_cpuid(uint32_t leaf, uint32_t sub, uint32_t *a,
			     uint32_t *b, uint32_t *c, uint32_t *d)
{
	__asm__ __volatile__("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d)
			     : "a"(leaf), "c"(sub));
}

static inline uint64_t x86_rdmsr(uint32_t msr)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return ((uint64_t)hi << 32) | lo;
}

static inline void x86_wrmsr(uint32_t msr, uint64_t v)
{
	__asm__ __volatile__("wrmsr" :: "a"((uint32_t)v),
			     "d"((uint32_t)(v >> 32)), "c"(msr) : "memory");
}

static inline uint64_t x86_read_cr2(void)
{
	uint64_t v;

	__asm__ __volatile__("mov %%cr2, %0" : "=r"(v));
	return v;
}

static inline uint64_t x86_read_cr4(void)
{
	uint64_t v;

	__asm__ __volatile__("mov %%cr4, %0" : "=r"(v));
	return v;
}

static inline void x86_write_cr4(uint64_t v)
{
	__asm__ __volatile__("mov %0, %%cr4" :: "r"(v) : "memory");
}

static inline uint64_t x86_read_cr0(void)
{
	uint64_t v;

	__asm__ __volatile__("mov %%cr0, %0" : "=r"(v));
	return v;
}

static inline void x86_write_cr0(uint64_t v)
{
	__asm__ __volatile__("mov %0, %%cr0" :: "r"(v) : "memory");
}

static inline void x86_xsetbv(uint32_t reg, uint64_t v)
{
	__asm__ __volatile__("xsetbv" :: "a"((uint32_t)v),
			     "d"((uint32_t)(v >> 32)), "c"(reg));
}

static inline uint64_t x86_rdfsbase(void)
{
	uint64_t v;

	__asm__ __volatile__("rdfsbase %0" : "=r"(v));
	return v;
}

static inline uint64_t x86_rdgsbase(void)
{
	uint64_t v;

	__asm__ __volatile__("rdgsbase %0" : "=r"(v));
	return v;
}

static inline void x86_wrfsbase(uint64_t v)
{
	__asm__ __volatile__("wrfsbase %0" :: "r"(v) : "memory");
}

static inline void x86_wrgsbase(uint64_t v)
{
	__asm__ __volatile__("wrgsbase %0" :: "r"(v) : "memory");
}

static inline uint64_t x86_rdtsc(void)
{
	uint32_t lo, hi;

	__asm__ __volatile__("rdtsc" : "=a"(lo), "=d"(hi));
	return ((uint64_t)hi << 32) | lo;
}

static inline void outb(uint16_t port, uint8_t v)
{
	__asm__ __volatile__("outb %0, %1" :: "a"(v), "Nd"(port));
}

static inline void outw(uint16_t port, uint16_t v)
{
	__asm__ __volatile__("outw %0, %1" :: "a"(v), "Nd"(port));
}

static inline uint8_t inb(uint16_t port)
{
	uint8_t v;

	__asm__ __volatile__("inb %1, %0" : "=a"(v) : "Nd"(port));
	return v;
}

void x86_ectx_init(void);
void x86_sysctx_init(void);

#endif /* !__ASSEMBLER__ */

#endif /* X86_CPU_H */
