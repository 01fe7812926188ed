/* SPDX-License-Identifier: BSD-3-Clause */
/* What all schedulers have in common. */
#include <errno.h>
#include <string.h>
#include <uk/config.h>
#include <uk/plat/time.h>
#include <uk/sched.h>
#if CONFIG_LIBSYSCALL_SHIM
#include <uk/syscall.h>
#endif

struct uk_thread *__uk_sched_thread_current[1];
struct uk_sched *uk_sched_head;
void (*uk_sched_switch_hook)(struct uk_thread *next);

void uk_sched_register(struct uk_sched *s)
{
	UK_TAILQ_INIT(&s->thread_list);
	UK_TAILQ_INIT(&s->exited_threads);
	s->next = uk_sched_head;
	uk_sched_head = s;
}

static void thread_enlist(struct uk_sched *s, struct uk_thread *t)
{
	t->sched = s;
	UK_TAILQ_INSERT_TAIL(&s->thread_list, t, thread_list);
}

int uk_sched_start(struct uk_sched *s, uintptr_t tlsp, uintptr_t auxsp)
{
	struct uk_thread *t = uk_calloc(s->a, 1, sizeof(*t));
	struct ukarch_ectx *ectx = uk_memalign(s->a, UKARCH_ECTX_ALIGN,
					       sizeof(*ectx));

	if (!t || !ectx)
		return -ENOMEM;
	ukarch_ectx_sanitize(ectx);
	t->ectx = ectx;
	t->tlsp = t->uktlsp = tlsp;
	t->auxsp = auxsp;
	t->flags = UK_THREADF_RUNNABLE;
	t->name = "init";
	t->_mem.t_a = s->a;
	thread_enlist(s, t);
	__uk_sched_thread_current[0] = t;
	return 0;
}

struct uk_thread *uk_sched_thread_create(struct uk_sched *s,
					 void (*entry)(void *arg), void *arg,
					 const char *name)
{
	struct uk_thread *t = uk_malloc(s->a, sizeof(*t));

	if (!t)
		return NULL;
	if (uk_thread_init(t, s->a, name, entry, arg) < 0) {
		uk_free(s->a, t);
		return NULL;
	}
	t->_mem.t_a = s->a;
	thread_enlist(s, t);
	s->thread_add(s, t);
	return t;
}

void uk_sched_yield(void)
{
	struct uk_sched *s = uk_sched_current();

	if (s)
		s->yield(s);
}

void uk_thread_block(struct uk_thread *t, uint64_t until)
{
	t->wakeup_time = until;
	t->flags &= ~(uint32_t)UK_THREADF_RUNNABLE;
	t->sched->thread_blocked(t->sched, t);
}

void uk_thread_wake(struct uk_thread *t)
{
	if (uk_thread_is_runnable(t) || (t->flags & UK_THREADF_EXITED))
		return;
	t->flags |= UK_THREADF_RUNNABLE;
	t->sched->thread_woken(t->sched, t);
	t->wakeup_time = 0;
}

void uk_sched_thread_sleep(uint64_t ns)
{
	uk_thread_block(uk_thread_current(), ukplat_monotonic_clock() + ns);
	uk_sched_yield();
}

void uk_sched_thread_exit(void)
{
	struct uk_thread *t = uk_thread_current();
	struct uk_sched *s = t->sched;

	UK_TAILQ_REMOVE(&s->thread_list, t, thread_list);
	uk_thread_block(t, 0);
	t->flags |= UK_THREADF_EXITED;
	/* Its memory is in use until another thread runs. */
	UK_TAILQ_INSERT_TAIL(&s->exited_threads, t, thread_list);
	s->yield(s);
	__builtin_unreachable();
}

void uk_sched_thread_gc(struct uk_sched *s)
{
	struct uk_thread *t;

	while ((t = UK_TAILQ_FIRST(&s->exited_threads))) {
		UK_TAILQ_REMOVE(&s->exited_threads, t, thread_list);
		if (t->_mem.stack) {
			uk_free(t->_mem.stack_a, t->_mem.stack);
			uk_free(t->_mem.uktls_a, t->_mem.uktls);
			uk_free(t->_mem.auxstack_a, t->_mem.auxstack);
			uk_free(t->_mem.t_a, t->ectx);
		}
		uk_free(t->_mem.t_a, t);
	}
}

#if CONFIG_LIBSYSCALL_SHIM
UK_SYSCALL_R_DEFINE(int, sched_yield)
{
	uk_sched_yield();
	return 0;
}
#endif
