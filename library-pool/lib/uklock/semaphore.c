/* SPDX-License-Identifier: BSD-3-Clause */
/* Semaphores for cooperative threads; not for interrupt handlers. */
#include <uk/sched.h>
#include <uk/semaphore.h>

void uk_semaphore_init(struct uk_semaphore *s, long count)
{
	s->count = count;
	UK_TAILQ_INIT(&s->waiters);
}

void uk_semaphore_down(struct uk_semaphore *s)
{
	struct uk_semaphore_waiter w = { .thread = uk_thread_current() };

	while (s->count <= 0) {
		UK_TAILQ_INSERT_TAIL(&s->waiters, &w, list);
		uk_thread_block(w.thread, 0);
		uk_sched_yield();
		UK_TAILQ_REMOVE(&s->waiters, &w, list);
	}
	s->count--;
}

void uk_semaphore_up(struct uk_semaphore *s)
{
	s->count++;
	if (!UK_TAILQ_EMPTY(&s->waiters))
		uk_thread_wake(UK_TAILQ_FIRST(&s->waiters)->thread);
}
