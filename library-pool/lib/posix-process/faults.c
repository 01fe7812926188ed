/* SPDX-License-Identifier: BSD-3-Clause */
/* What the processor says of a program becomes the program's signal. */
#include <errno.h>
#include <posix/process.h>
#include <uk/config.h>
#include <uk/plat/bootstrap.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif
#if CONFIG_LIBPOSIX_FDTAB
#include <posix/fdtab.h>
#endif
#include "signal_impl.h"

#define PF_PRESENT	1	/* error code: the page was there */

#define ILL_ILLOPN	2
#define FPE_INTDIV	1
#define FPE_FLTINV	7
#define SEGV_MAPERR	1
#define SEGV_ACCERR	2
#define TRAP_TRACE	2
#define BUS_ADRALN	1

/* As Linux has it on x86 (arch/x86/kernel/traps.c); the signal. */
static int signal_of(struct posix_fault *f)
{
	switch (f->vector) {
	case 0:
		f->code = FPE_INTDIV;
		return SIGFPE;
	case 1:
		f->code = TRAP_TRACE;
		return SIGTRAP;
	case 3:
		f->code = SI_KERNEL;
		return SIGTRAP;
	case 6:
		f->code = ILL_ILLOPN;
		return SIGILL;
	case 12:
		f->code = SI_KERNEL;
		return SIGBUS;
	case 14:
		f->code = f->error & PF_PRESENT ? SEGV_ACCERR : SEGV_MAPERR;
		return SIGSEGV;
	case 16:
	case 19:
		f->code = FPE_FLTINV;
		return SIGFPE;
	case 17:
		f->code = BUS_ADRALN;
		return SIGBUS;
	default:
		f->code = SI_KERNEL;
		return SIGSEGV;
	}
}

static void handle(struct ukarch_execenv *env, struct posix_fault *f,
		   bool in_kernel)
{
	int sig;

	if (f->vector == UKPLAT_TRAP_TICK) {
#if CONFIG_LIBUKSCHED
		uk_sched_yield();
#endif
		posix_signal_deliver(env);
		return;
	}
	sig = signal_of(f);
	if (in_kernel && !posix_signal_writes_frame) {
		/* A bad pointer. Memory that the call had in hand is lost. */
		env->regs.rax = (uint64_t)-EFAULT;
#if CONFIG_LIBPOSIX_FDTAB
		fdtab_faulted();
#endif
		posix_signal_unmask();
		posix_signal_deliver(env);
		return;
	}
	if (in_kernel || !posix_signal_has_handler(sig)) {
		ukplat_trap_report((unsigned int)f->vector, f->error, f->addr,
				   &env->regs);
		posix_process_end(0, sig);
	}
	if (sig == SIGFPE || sig == SIGILL)
		f->addr = env->regs.rip;
	posix_signal_fault(env, sig, f);
}

static void trapped(struct uk_syscall_ctx *usc, unsigned int vec,
		    uint64_t error, uintptr_t addr, bool in_kernel)
{
	struct posix_fault f = { .vector = vec, .error = error, .addr = addr };
	struct ukarch_auxspcb *cb = ukarch_auxsp_get_cb(usc->auxsp);
#if CONFIG_LIBUKSCHED
	struct uk_thread *t = uk_thread_current();
#endif

	ukarch_sysctx_load(&cb->uksysctx);
#if CONFIG_LIBUKSCHED
	t->tlsp = t->uktlsp;
#endif
	handle(&usc->execenv, &f, in_kernel);
#if CONFIG_LIBUKSCHED
	t->tlsp = usc->execenv.sysctx.fsbase;
#endif
}

void posix_signal_from_traps(void)
{
	ukplat_trap_register(trapped);
}
