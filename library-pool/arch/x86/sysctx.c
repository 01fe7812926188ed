/* SPDX-License-Identifier: BSD-3-Clause */
/* FS and GS base; general registers only, as in ectx.c. */
#include <uk/arch/ctx.h>
#include <uk/arch/tls.h>
#include <x86/cpu.h>

static bool have_fsgsbase;

void x86_sysctx_init(void)
{
	uint32_t a, b, c, d;

	x86_cpuid(0, 0, &a, &b, &c, &d);
	if (a < 7)
		return;
	x86_cpuid(7, 0, &a, &b, &c, &d);
	if (!(b & X86_CPUID7_EBX_FSGSBASE))
		return;
	x86_write_cr4(x86_read_cr4() | X86_CR4_FSGSBASE);
	have_fsgsbase = true;
}

void ukarch_sysctx_store(struct ukarch_sysctx *sysctx)
{
	if (have_fsgsbase) {
		sysctx->gsbase = x86_rdgsbase();
		sysctx->fsbase = x86_rdfsbase();
	} else {
		sysctx->gsbase = x86_rdmsr(X86_MSR_GS_BASE);
		sysctx->fsbase = x86_rdmsr(X86_MSR_FS_BASE);
	}
}

void ukarch_sysctx_load(const struct ukarch_sysctx *sysctx)
{
	if (have_fsgsbase) {
		x86_wrgsbase(sysctx->gsbase);
		x86_wrfsbase(sysctx->fsbase);
	} else {
		x86_wrmsr(X86_MSR_GS_BASE, sysctx->gsbase);
		x86_wrmsr(X86_MSR_FS_BASE, sysctx->fsbase);
	}
}

uintptr_t ukplat_tlsp_get(void)
{
	return have_fsgsbase ? x86_rdfsbase() : x86_rdmsr(X86_MSR_FS_BASE);
}

void ukplat_tlsp_set(uintptr_t tlsp)
{
	if (have_fsgsbase)
		x86_wrfsbase(tlsp);
	else
		x86_wrmsr(X86_MSR_FS_BASE, tlsp);
}
