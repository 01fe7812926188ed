/* SPDX-License-Identifier: BSD-3-Clause */
/* For those who return to a program: its signals come there. */
#ifndef POSIX_SIGNAL_H
#define POSIX_SIGNAL_H

#include <uk/arch/ctx.h>

/*
 * Has the program go on in its handlers for the signals that wait for the
 * current thread. To be called with what a system call leaves, before it
 * returns. Does not return where a signal ends the program.
 */
void posix_signal_deliver(struct ukarch_execenv *execenv);

#endif /* POSIX_SIGNAL_H */
