/* SPDX-License-Identifier: BSD-3-Clause */
/* Making threads. */
#include <errno.h>
#include <uk/arch/tls.h>
#include <uk/config.h>
#include <uk/plat/lcpu.h>
#include <uk/sched.h>

static void thread_entry(void *arg)
{
	struct uk_thread *t = arg;

	ukplat_lcpu_enable_irq();
	t->entry(t->arg);
	uk_sched_thread_exit();
}

int uk_thread_init(struct uk_thread *t, struct uk_alloc *a, const char *name,
		   void (*entry)(void *arg), void *arg)
{
	const size_t stack_size = CONFIG_LIBUKSCHED_STACK_SIZE;
	const size_t aux_size = CONFIG_LIBUKBOOT_AUXSTACK_SIZE;
	char *stack = uk_memalign(a, 64, stack_size);
	void *tls = uk_memalign(a, UKARCH_TLS_ALIGN, ukarch_tls_area_size());
	char *aux = uk_memalign(a, UKARCH_AUXSP_ALIGN, aux_size);
	struct ukarch_ectx *ectx = uk_memalign(a, UKARCH_ECTX_ALIGN,
					       sizeof(*ectx));

	if (!stack || !tls || !aux || !ectx) {
		uk_free(a, stack);
		uk_free(a, tls);
		uk_free(a, aux);
		uk_free(a, ectx);
		return -ENOMEM;
	}
	*t = (struct uk_thread) {
		.ectx = ectx,
		.flags = UK_THREADF_RUNNABLE,
		._mem = {
			.stack = stack, .stack_a = a,
			.uktls = tls, .uktls_a = a,
			.auxstack = aux, .auxstack_a = a,
		},
		.entry = entry,
		.arg = arg,
		.name = name,
	};
	ukarch_tls_area_init(tls);
	t->uktlsp = t->tlsp = ukarch_tls_tlsp(tls);
	t->auxsp = ALIGN_DOWN((uintptr_t)aux + aux_size,
			      (uintptr_t)UKARCH_AUXSP_ALIGN);
	ukarch_auxsp_init(t->auxsp, (uintptr_t)lcpu_current(), t->uktlsp);
	/* The creator's registers are as good as any to start with. */
	ukarch_ectx_sanitize(ectx);
	ukarch_ectx_store(ectx);
	ukarch_ctx_init_entry(&t->ctx, (uintptr_t)stack + stack_size,
			      thread_entry, t);
	return 0;
}
