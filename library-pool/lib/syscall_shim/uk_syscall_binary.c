/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * System calls of binaries: from the application's TLS to Unikraft's, through
 * the table, and back. The extended registers have been stored by the entry.
 */
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_SIGNALS
#include <posix/signal.h>
#endif
#if CONFIG_LIBUKSCHED
#include <uk/thread.h>
#endif

void ukplat_syscall_handler(struct uk_syscall_ctx *usc)
{
	struct ukarch_auxspcb *cb = ukarch_auxsp_get_cb(usc->auxsp);
#if CONFIG_LIBUKSCHED
	struct uk_thread *t = uk_thread_current();
#endif

	ukarch_sysctx_load(&cb->uksysctx);
#if CONFIG_LIBUKSCHED
	t->tlsp = t->uktlsp;
#endif
	usc->execenv.regs.rax =
		(uint64_t)uk_syscall6_r_e(&usc->execenv);
#if CONFIG_LIBPOSIX_PROCESS_SIGNALS
	posix_signal_deliver(&usc->execenv);
#endif
#if CONFIG_LIBUKSCHED
	t->tlsp = usc->execenv.sysctx.fsbase;
#endif
}
