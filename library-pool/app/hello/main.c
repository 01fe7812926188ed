/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Says hello twice: through the system call shim as a function call, and, as a
 * binary would, through the SYSCALL instruction.
 */
#include <stdio.h>
#include <string.h>
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_APPHELLO_BINARY
#include "binary.h"
#endif

static __thread int greetings;

/* The compiled-in way: this becomes a call of uk_syscall_r_write(). */
static long greet(const char *text)
{
	greetings++;
	return uk_syscall_r_static(SYS_write, 1, text, strlen(text));
}

int main(int argc, char *argv[])
{
	char line[80];
	int i;

	greet("Hello from a direct call!\n");

#if CONFIG_APPHELLO_BINARY
	i = run_as_binary();
	if (i) {
		snprintf(line, sizeof(line), "Check %d of the binary failed\n",
			 i);
		greet(line);
		return 1;
	}
#endif

	for (i = 0; i < argc; i++) {
		snprintf(line, sizeof(line), "argv[%d] = %s\n", i, argv[i]);
		greet(line);
	}
	snprintf(line, sizeof(line), "Process %ld said hello %d times\n",
		 uk_syscall_r_static(SYS_getpid), greetings);
	greet(line);
	return 0;
}
