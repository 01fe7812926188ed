/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Cooperative round robin: a queue of those that can run, a list of those that
 * sleep until a time, and an idle thread that halts the processor.
 */
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/sched_impl.h>
#include <uk/schedcoop.h>

#define IDLE_MAX_NS	1000000000ULL

struct schedcoop {
	struct uk_sched sched;
	UK_TAILQ_HEAD(, struct uk_thread) run_queue;
	UK_TAILQ_HEAD(, struct uk_thread) sleep_queue;
	struct uk_thread idle;
};

static struct schedcoop *of(struct uk_sched *s)
{
	return __containerof(s, struct schedcoop, sched);
}

/* Wakes who has slept enough; returns when the next one is due. */
static uint64_t wake_due(struct schedcoop *c)
{
	struct uk_thread *t, *next;
	uint64_t now, earliest;

	if (UK_TAILQ_EMPTY(&c->sleep_queue))
		return ~0ULL;
	now = ukplat_monotonic_clock();
	earliest = ~0ULL;
	for (t = UK_TAILQ_FIRST(&c->sleep_queue); t; t = next) {
		next = UK_TAILQ_NEXT(t, queue);
		if (t->wakeup_time <= now)
			uk_thread_wake(t);
		else
			earliest = MIN(earliest, t->wakeup_time);
	}
	return earliest;
}

/* The current thread is never in the run queue. */
static void schedcoop_schedule(struct uk_sched *s)
{
	struct schedcoop *c = of(s);
	struct uk_thread *prev = uk_thread_current();
	struct uk_thread *next;

	wake_due(c);
	next = UK_TAILQ_FIRST(&c->run_queue);
	if (next)
		UK_TAILQ_REMOVE(&c->run_queue, next, queue);
	else if (uk_thread_is_runnable(prev))
		return;
	else
		next = &c->idle;
	if (uk_thread_is_runnable(prev) && prev != &c->idle && prev != next)
		UK_TAILQ_INSERT_TAIL(&c->run_queue, prev, queue);
	uk_sched_thread_switch(next);
	uk_sched_thread_gc(s);
}

static void schedcoop_thread_add(struct uk_sched *s, struct uk_thread *t)
{
	UK_TAILQ_INSERT_TAIL(&of(s)->run_queue, t, queue);
}

static void schedcoop_thread_blocked(struct uk_sched *s, struct uk_thread *t)
{
	struct schedcoop *c = of(s);

	if (t != uk_thread_current())
		UK_TAILQ_REMOVE(&c->run_queue, t, queue);
	if (t->wakeup_time)
		UK_TAILQ_INSERT_TAIL(&c->sleep_queue, t, queue);
}

static void schedcoop_thread_woken(struct uk_sched *s, struct uk_thread *t)
{
	struct schedcoop *c = of(s);

	if (t->wakeup_time)
		UK_TAILQ_REMOVE(&c->sleep_queue, t, queue);
	if (t != uk_thread_current())
		UK_TAILQ_INSERT_TAIL(&c->run_queue, t, queue);
}

static void idle(void *arg)
{
	struct schedcoop *c = arg;
	uint64_t next;

	for (;;) {
		ukplat_lcpu_disable_irq();
		next = wake_due(c);
		if (UK_TAILQ_EMPTY(&c->run_queue))
			ukplat_lcpu_halt_irq_until(
				MIN(next, ukplat_monotonic_clock() +
					  IDLE_MAX_NS));
		ukplat_lcpu_enable_irq();
		schedcoop_schedule(&c->sched);
	}
}

struct uk_sched *uk_schedcoop_create(struct uk_alloc *a)
{
	struct schedcoop *c = uk_calloc(a, 1, sizeof(*c));

	if (!c)
		return NULL;
	UK_TAILQ_INIT(&c->run_queue);
	UK_TAILQ_INIT(&c->sleep_queue);
	c->sched.a = a;
	c->sched.yield = schedcoop_schedule;
	c->sched.thread_add = schedcoop_thread_add;
	c->sched.thread_blocked = schedcoop_thread_blocked;
	c->sched.thread_woken = schedcoop_thread_woken;
	if (uk_thread_init(&c->idle, a, "idle", idle, c) < 0) {
		uk_free(a, c);
		return NULL;
	}
	c->idle.sched = &c->sched;
	uk_sched_register(&c->sched);
	return &c->sched;
}
