/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a Linux binary does, in small: it sets up its own TLS with
 * arch_prctl(), keeps values in extended registers across system calls, and
 * enters the kernel by SYSCALL. While its TLS is active, no code of the image
 * that uses thread-local variables may run in it.
 */
#include <stdint.h>
#include <string.h>
#include <uk/syscall.h>
#include "binary.h"

#define ARCH_SET_FS	0x1002
#define ARCH_GET_FS	0x1003

struct app_tls {
	long greetings;		/* a thread-local variable of the binary */
	struct app_tls *self;	/* FS base points here */
};

static struct app_tls app_tls = { 41, &app_tls };

static long syscall3(long nr, long a, long b, long c)
{
	long ret;

	__asm__ __volatile__("syscall"
			     : "=a"(ret)
			     : "a"(nr), "D"(a), "S"(b), "d"(c)
			     : "rcx", "r11", "memory");
	return ret;
}

static long app_greetings(void)
{
	long v;

	__asm__ __volatile__("mov %%fs:-8, %0" : "=r"(v));
	return v;
}

/* Writes `text` with a value in XMM7; returns what is there afterwards. */
static uint64_t write_keeping_xmm7(const char *text, uint64_t value)
{
	uint64_t after;
	long ret;

	__asm__ __volatile__("movq %[value], %%xmm7\n\t"
			     "syscall\n\t"
			     "movq %%xmm7, %[after]"
			     : "=a"(ret), [after] "=&r"(after)
			     : "a"(SYS_write), "D"(1), "S"(text),
			       "d"(strlen(text)), [value] "r"(value)
			     : "rcx", "r11", "xmm7", "memory");
	return ret > 0 ? after : 0;
}

int run_as_binary(void)
{
	const uint64_t pattern = 0x0123456789abcdef;
	unsigned long image_fs = 0;
	int failed = 0;

	if (syscall3(SYS_arch_prctl, ARCH_GET_FS, (long)&image_fs, 0) ||
	    !image_fs)
		return 1;
	if (syscall3(SYS_arch_prctl, ARCH_SET_FS, (long)&app_tls.self, 0))
		return 2;

	if (app_greetings() != 41)
		failed = 3;
	else if (write_keeping_xmm7("Hello from a SYSCALL instruction!\n",
				    pattern) != pattern)
		failed = 4;
	else if (app_greetings() != 41)	/* the TLS came back, too */
		failed = 5;

	if (syscall3(SYS_arch_prctl, ARCH_SET_FS, (long)image_fs, 0))
		return 6;
	return failed;
}
