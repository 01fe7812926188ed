/* SPDX-License-Identifier: BSD-3-Clause */
/* Processes. One at a time is current: its memory and state are in place. */
#ifndef POSIX_PROCESS_CHILDREN_H
#define POSIX_PROCESS_CHILDREN_H

#include <posix/pages.h>
#include "thread.h"

struct posix_process {
	pid_t pid, pgid, sid;
	struct posix_process *parent;
	struct posix_process *next;
	struct space *space;
	unsigned int nr_threads;
	bool borrows;		/* its parent's memory: vfork(2) */
	bool ending;
	bool ended;		/* waited for by its parent */
	int status;		/* as wait4(2) tells it */
	char *state;		/* while another is current */
	/* When SIGALRM is due, and how often; 0 for never. */
	uint64_t alarm_at, alarm_every;
};

struct posix_process *posix_process_current(void);
struct posix_process *posix_process_find(pid_t pid);
/* The one after `p`, or the first where that is NULL. */
struct posix_process *posix_process_next(const struct posix_process *p);

/*
 * A copy of the current process, without threads; where `borrow` with the same
 * memory. NULL without room for it.
 */
struct posix_process *posix_process_fork(bool borrow);
/* Forgets a child that has ended. */
void posix_process_forget(struct posix_process *p);
/* Takes back what posix_process_fork() did. */
void posix_process_drop(struct posix_process *p);
/* Waits until a child that borrows this process's memory gives it back. */
void posix_process_wait_for_memory(pid_t child);

/* The current thread ends; its process too, where it was the last. */
void posix_process_leave(struct posix_thread *pt) __noreturn;

#endif /* POSIX_PROCESS_CHILDREN_H */
