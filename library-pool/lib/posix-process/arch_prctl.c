/* SPDX-License-Identifier: BSD-3-Clause */
/* FS and GS base of the caller; both take effect when the call returns. */
#include <uk/syscall.h>

#define ARCH_SET_GS	0x1001
#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003
#define ARCH_GET_GS	0x1004

UK_LLSYSCALL_R_E_DEFINE(long, arch_prctl, int, code, unsigned long, addr)
{
	switch (code) {
	case ARCH_SET_FS:
		execenv->sysctx.fsbase = addr;
		return 0;
	case ARCH_SET_GS:
		execenv->sysctx.gsbase = addr;
		return 0;
	case ARCH_GET_FS:
		*(unsigned long *)addr = execenv->sysctx.fsbase;
		return 0;
	case ARCH_GET_GS:
		*(unsigned long *)addr = execenv->sysctx.gsbase;
		return 0;
	default:
		return -EINVAL;
	}
}
