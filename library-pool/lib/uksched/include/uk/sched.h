/* SPDX-License-Identifier: BSD-3-Clause */
/* Schedulers. */
#ifndef UK_SCHED_H
#define UK_SCHED_H

#include <uk/thread.h>

struct uk_sched {
	void (*yield)(struct uk_sched *s);
	void (*thread_add)(struct uk_sched *s, struct uk_thread *t);
	void (*thread_blocked)(struct uk_sched *s, struct uk_thread *t);
	void (*thread_woken)(struct uk_sched *s, struct uk_thread *t);
	UK_TAILQ_HEAD(, struct uk_thread) thread_list;
	UK_TAILQ_HEAD(, struct uk_thread) exited_threads;
	struct uk_alloc *a;
	struct uk_sched *next;
};

extern struct uk_sched *uk_sched_head;

void uk_sched_register(struct uk_sched *s);

/* Makes what runs now the first thread of `s`; 0 or -ENOMEM. */
int uk_sched_start(struct uk_sched *s, uintptr_t tlsp, uintptr_t auxsp);

/* A new thread, which runs when it is its turn; NULL without memory. */
struct uk_thread *uk_sched_thread_create(struct uk_sched *s,
					 void (*entry)(void *arg), void *arg,
					 const char *name);

void uk_sched_yield(void);
void uk_sched_thread_sleep(uint64_t ns);
void uk_sched_thread_exit(void) __noreturn;
/* Called before a thread goes on; NULL for nothing. */
extern void (*uk_sched_switch_hook)(struct uk_thread *next);

/* Frees the threads that have ended. */
void uk_sched_thread_gc(struct uk_sched *s);

static inline struct uk_sched *uk_sched_current(void)
{
	return uk_thread_current() ? uk_thread_current()->sched : NULL;
}

#endif /* UK_SCHED_H */
