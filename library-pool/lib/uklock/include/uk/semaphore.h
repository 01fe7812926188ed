/* SPDX-License-Identifier: BSD-3-Clause */
/* Counting semaphores; a mutex is one that starts at 1. */
#ifndef UK_SEMAPHORE_H
#define UK_SEMAPHORE_H

#include <uk/list.h>
#include <uk/thread.h>

struct uk_semaphore_waiter {
	struct uk_thread *thread;
	UK_TAILQ_ENTRY(struct uk_semaphore_waiter) list;
};

struct uk_semaphore {
	long count;
	UK_TAILQ_HEAD(, struct uk_semaphore_waiter) waiters;
};

void uk_semaphore_init(struct uk_semaphore *s, long count);
/* Waits until the count is above 0 and takes one from it. */
void uk_semaphore_down(struct uk_semaphore *s);
void uk_semaphore_up(struct uk_semaphore *s);

#endif /* UK_SEMAPHORE_H */
