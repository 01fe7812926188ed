/* SPDX-License-Identifier: BSD-3-Clause */
/* For schedulers: the switch itself. */
#ifndef UK_SCHED_IMPL_H
#define UK_SCHED_IMPL_H

#include <uk/arch/tls.h>
#include <uk/plat/lcpu.h>
#include <uk/sched.h>

/* Leaves the current thread and goes on with `next`. */
static inline void uk_sched_thread_switch(struct uk_thread *next)
{
	struct uk_thread *prev = uk_thread_current();

	if (prev == next)
		return;
	if (uk_sched_switch_hook)
		uk_sched_switch_hook(next);
	__uk_sched_thread_current[0] = next;
	prev->tlsp = ukplat_tlsp_get();
	ukarch_ectx_store(prev->ectx);
	ukplat_tlsp_set(next->tlsp);
	ukarch_ectx_load(next->ectx);
	ukplat_lcpu_set_auxsp(next->auxsp);
	ukarch_ctx_switch(&prev->ctx, &next->ctx);
}

#endif /* UK_SCHED_IMPL_H */
