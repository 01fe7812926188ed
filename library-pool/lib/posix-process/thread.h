/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program's thread has beside the scheduler's. */
#ifndef POSIX_PROCESS_THREAD_H
#define POSIX_PROCESS_THREAD_H

#include <sys/types.h>
#include <uk/config.h>
#include <uk/essentials.h>

#define PID		1

#define SS_ONSTACK	1
#define SS_DISABLE	2

struct posix_stack {
	void *sp;
	int flags;
	size_t size;
};

struct posix_thread {
	pid_t tid;
	/* Set to 0, and woken, when the thread ends; or NULL. */
	uint32_t *clear_tid;
	/* Signals by bit, number 1 the lowest. */
	uint64_t blocked;
	uint64_t pending;
	struct posix_stack altstack;
	struct posix_thread *next;
};

/* That of the current thread; the program's first has one from the start. */
struct posix_thread *posix_thread_current(void);

/* The thread of a number, NULL where there is none. */
struct posix_thread *posix_thread_find(pid_t tid);

#if CONFIG_LIBPOSIX_PROCESS_THREADS
/* Leaves the list of threads, and tells who waits for that. */
void posix_thread_leave(struct posix_thread *pt);
#endif

#endif /* POSIX_PROCESS_THREAD_H */
