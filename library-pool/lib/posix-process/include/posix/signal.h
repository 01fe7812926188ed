/* SPDX-License-Identifier: BSD-3-Clause */
/* For those who return to a program, or have it wait: its signals. */
#ifndef POSIX_SIGNAL_H
#define POSIX_SIGNAL_H

#include <uk/arch/ctx.h>

#define SIGINT	2
#define SIGPIPE	13

/*
 * Has the program go on in its handlers for the signals that wait for the
 * current thread. To be called with what a system call leaves, before it
 * returns. Does not return where a signal ends the program.
 */
void posix_signal_deliver(struct ukarch_execenv *execenv);

/* Whether the current thread has to stop waiting (-EINTR). */
bool posix_signal_ready(void);

/*
 * Has other signals blocked until the current system call is over, and its
 * handlers have been called.
 */
void posix_signal_mask(uint64_t blocked);

/* Ends that now: what the mask let through waits, where it was blocked. */
void posix_signal_unmask(void);

/* Sends a signal to the current thread. */
void posix_signal_raise(int sig);

/* From now on traps of the program are its signals. */
void posix_signal_from_traps(void);

/* For a new program: there are no handlers. */
void posix_signal_exec(void);

/* The interrupt key was pressed. */
void posix_signal_interrupt(void);

#endif /* POSIX_SIGNAL_H */
