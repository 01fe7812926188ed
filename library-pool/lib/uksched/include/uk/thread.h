/* SPDX-License-Identifier: BSD-3-Clause */
/* A thread. */
#ifndef UK_THREAD_H
#define UK_THREAD_H

#include <uk/alloc.h>
#include <uk/arch/ctx.h>
#include <uk/essentials.h>
#include <uk/list.h>

struct uk_sched;

#define UK_THREADF_RUNNABLE	0x001
#define UK_THREADF_EXITED	0x002

struct uk_thread {
	struct ukarch_ctx ctx;		/* where it goes on */
	struct ukarch_ectx *ectx;	/* extended registers while it waits */
	uintptr_t tlsp;			/* active thread pointer */
	uintptr_t uktlsp;		/* Unikraft's own thread pointer */
	uintptr_t auxsp;		/* auxiliary stack */
	UK_TAILQ_ENTRY(struct uk_thread) queue;
	uint32_t flags;
	uint64_t wakeup_time;		/* ns, 0: none */
	struct uk_sched *sched;
	struct {
		struct uk_alloc *t_a;
		void *stack;
		struct uk_alloc *stack_a;
		void *uktls;
		struct uk_alloc *uktls_a;
		void *auxstack;
		struct uk_alloc *auxstack_a;
	} _mem;
	void (*entry)(void *arg);
	void *arg;
	void *priv;
	void *reserved;
	uint64_t exec_time;		/* ns that it ran */
	const char *name;
	UK_TAILQ_ENTRY(struct uk_thread) thread_list;
};

UK_CTASSERT(offsetof(struct uk_thread, queue) == 48);
UK_CTASSERT(offsetof(struct uk_thread, sched) == 80);
UK_CTASSERT(offsetof(struct uk_thread, exec_time) == 176);
UK_CTASSERT(offsetof(struct uk_thread, thread_list) == 192);
UK_CTASSERT(sizeof(struct uk_thread) == 208);

/* One pointer for each logical processor. */
extern struct uk_thread *__uk_sched_thread_current[1];

static inline struct uk_thread *uk_thread_current(void)
{
	return __uk_sched_thread_current[0];
}

static inline bool uk_thread_is_runnable(const struct uk_thread *t)
{
	return t->flags & UK_THREADF_RUNNABLE;
}

/* Gives `t` a stack, TLS, auxiliary stack and registers from `a`; 0 or -ENOMEM. */
int uk_thread_init(struct uk_thread *t, struct uk_alloc *a, const char *name,
		   void (*entry)(void *arg), void *arg);

/* Takes `t` from, or puts it back into, what may run. */
void uk_thread_block(struct uk_thread *t, uint64_t until);
void uk_thread_wake(struct uk_thread *t);

#endif /* UK_THREAD_H */
