/* SPDX-License-Identifier: BSD-3-Clause */
/* What a program's thread has beside the scheduler's, and its process. */
#ifndef POSIX_PROCESS_THREAD_H
#define POSIX_PROCESS_THREAD_H

#include <sys/types.h>
#include <uk/config.h>
#include <uk/essentials.h>

/* The program that was started first; the machine ends with it. */
#define PID		1

#define SS_ONSTACK	1
#define SS_DISABLE	2

struct posix_process;
struct uk_thread;

struct posix_stack {
	void *sp;
	int flags;
	size_t size;
};

struct posix_thread {
	pid_t tid;
	/* Written at its start; set to 0, and woken, at its end; or NULL. */
	uint32_t *set_tid;
	uint32_t *clear_tid;
	/* Signals by bit, number 1 the lowest. */
	uint64_t blocked;
	uint64_t pending;
	/* What is blocked after the next delivery, where `restores`. */
	uint64_t blocked_after;
	bool restores;
	struct posix_stack altstack;
	struct posix_thread *next;
	struct posix_process *process;
	struct uk_thread *thread;
};

/* That of the current thread; the program's first has one from the start. */
struct posix_thread *posix_thread_current(void);

/* The thread of a number, NULL where there is none. */
struct posix_thread *posix_thread_find(pid_t tid);

/* Has it go on, where it waits for something. */
void posix_thread_wake(struct posix_thread *pt);

#if CONFIG_LIBPOSIX_PROCESS_THREADS
extern struct posix_thread posix_thread_first;

/* A number for a new thread or process. */
pid_t posix_thread_number(void);

/* Leaves the list of threads, and tells who waits for that. */
void posix_thread_leave(struct posix_thread *pt);
#endif

#endif /* POSIX_PROCESS_THREAD_H */
