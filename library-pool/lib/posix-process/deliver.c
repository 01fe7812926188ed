/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Calls a program's signal handlers: puts a frame on its stack as Linux lays
 * it out on x86-64 (arch/x86/include/uapi/asm/sigcontext.h), has it go on in
 * the handler, and takes the frame down again in rt_sigreturn(2).
 */
#include <string.h>
#include <posix/process.h>
#include <uk/config.h>
#include <uk/syscall.h>
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
#include "children.h"
#endif
#include "signal_impl.h"
#include "thread.h"

#define RED_ZONE	128

/* Flags that a program may set: CF PF AF ZF SF TF DF OF. */
#define EFLAGS_OWN	0xdd5UL
#define EFLAGS_TF	0x100UL
#define EFLAGS_DF	0x400UL

struct sigcontext {
	uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
	uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip;
	uint64_t eflags;
	uint16_t cs, gs, fs, ss;
	uint64_t err, trapno, oldmask, cr2;
	uint8_t *fpstate;
	uint64_t reserved[8];
};

struct sigframe {
	uint64_t return_address;
	uint64_t flags, link;
	struct posix_stack stack;
	struct sigcontext mc;
	uint64_t mask;
	struct posix_siginfo info;
};

UK_CTASSERT(sizeof(struct sigcontext) == 256);
UK_CTASSERT(offsetof(struct sigframe, mc) == 48);

/* What is wrong with the program's stack then ends it. */
bool posix_signal_writes_frame;

static bool on_stack(const struct posix_stack *s, uintptr_t sp)
{
	return !(s->flags & SS_DISABLE) && sp - (uintptr_t)s->sp <= s->size;
}

static void save_regs(struct sigcontext *mc, const struct __regs *r)
{
	mc->r8 = r->r8;
	mc->r9 = r->r9;
	mc->r10 = r->r10;
	mc->r11 = r->r11;
	mc->r12 = r->r12;
	mc->r13 = r->r13;
	mc->r14 = r->r14;
	mc->r15 = r->r15;
	mc->rdi = r->rdi;
	mc->rsi = r->rsi;
	mc->rbp = r->rbp;
	mc->rbx = r->rbx;
	mc->rdx = r->rdx;
	mc->rax = r->rax;
	mc->rcx = r->rcx;
	mc->rsp = r->rsp;
	mc->rip = r->rip;
	mc->eflags = r->eflags;
	mc->cs = (uint16_t)r->cs;
	mc->ss = (uint16_t)r->ss;
}

static void load_regs(struct __regs *r, const struct sigcontext *mc)
{
	r->r8 = mc->r8;
	r->r9 = mc->r9;
	r->r10 = mc->r10;
	r->r11 = mc->r11;
	r->r12 = mc->r12;
	r->r13 = mc->r13;
	r->r14 = mc->r14;
	r->r15 = mc->r15;
	r->rdi = mc->rdi;
	r->rsi = mc->rsi;
	r->rbp = mc->rbp;
	r->rbx = mc->rbx;
	r->rdx = mc->rdx;
	r->rax = mc->rax;
	r->rcx = mc->rcx;
	r->rsp = mc->rsp;
	r->rip = mc->rip;
	r->eflags = (mc->eflags & EFLAGS_OWN) | (r->eflags & ~EFLAGS_OWN);
}

/* Has the program go on in its handler of `sig`. */
static void call_handler(struct ukarch_execenv *env, struct posix_thread *pt,
			 int sig, const struct posix_fault *fault)
{
	struct posix_sigaction *sa = &posix_sigactions[sig];
	struct __regs *r = &env->regs;
	struct sigframe *f;
	uintptr_t sp = r->rsp - RED_ZONE, fp;

	if ((sa->flags & SA_ONSTACK) && !(pt->altstack.flags & SS_DISABLE) &&
	    !on_stack(&pt->altstack, r->rsp))
		sp = (uintptr_t)pt->altstack.sp + pt->altstack.size;
	fp = ALIGN_DOWN(sp - UKARCH_ECTX_SIZE, (uintptr_t)UKARCH_ECTX_ALIGN);
	/* As after a call: 8 below a multiple of 16. */
	f = (struct sigframe *)(ALIGN_DOWN(fp - sizeof(*f), 16UL) - 8);

	posix_signal_writes_frame = true;
	memcpy((void *)fp, env->ectx, UKARCH_ECTX_SIZE);
	memset(f, 0, sizeof(*f));
	f->return_address = sa->restorer;
	f->stack = pt->altstack;
	save_regs(&f->mc, r);
	f->mc.fpstate = (uint8_t *)fp;
	f->mc.oldmask = f->mask = pt->restores ? pt->blocked_after
					       : pt->blocked;
	f->info.signo = sig;
	f->info.code = SI_TKILL;
	f->info.child.pid = (pid_t)uk_syscall_r_static(SYS_getpid);
	if (fault) {
		f->info.code = fault->code;
		f->info.fault = fault->addr;
		f->mc.trapno = fault->vector;
		f->mc.err = fault->error;
		f->mc.cr2 = fault->addr;
	}
	posix_signal_writes_frame = false;

	r->rip = sa->handler;
	r->rsp = (uintptr_t)f;
	r->rdi = (uint64_t)sig;
	r->rsi = (uintptr_t)&f->info;
	r->rdx = (uintptr_t)&f->flags;
	r->rax = 0;
	r->eflags &= ~(EFLAGS_TF | EFLAGS_DF);
	pt->restores = false;
	pt->blocked |= sa->mask;
	if (!(sa->flags & SA_NODEFER))
		pt->blocked |= posix_signal_bit(sig);
	if (sa->flags & SA_RESETHAND)
		sa->handler = SIG_DFL;
}

/* As signal(7) lists them: these end with EINTR whatever the handler asks. */
static bool never_restarts(uint64_t number)
{
	switch (number) {
	case SYS_poll:
	case SYS_select:
	case SYS_pause:
	case SYS_nanosleep:
	case SYS_rt_sigsuspend:
	case SYS_clock_nanosleep:
	case SYS_pselect6:
	case SYS_ppoll:
	case SYS_epoll_wait:
	case SYS_epoll_pwait:
	case SYS_epoll_pwait2:
		return true;
	default:
		return false;
	}
}

/* After its handler, a call that was broken off is made again. */
static void restart(struct __regs *r)
{
	if ((long)r->rax != -EINTR || never_restarts(r->orig_rax))
		return;
	r->rax = r->orig_rax;
	r->rip -= 2;	/* onto the SYSCALL instruction */
}

static bool is_ending(const struct posix_thread *pt)
{
#if CONFIG_LIBPOSIX_PROCESS_CHILDREN
	return pt->process->ending;
#else
	(void)pt;
	return false;
#endif
}

bool posix_signal_ready(void)
{
	struct posix_thread *pt = posix_thread_current();
	uint64_t ready = pt->pending & ~pt->blocked;

	if (is_ending(pt))
		return true;
	for (; ready; ready &= ready - 1) {
		int sig = __builtin_ctzll(ready) + 1;

		if (!posix_signal_ignored(sig))
			return true;
		pt->pending &= ~posix_signal_bit(sig);
	}
	return false;
}

void posix_signal_deliver(struct ukarch_execenv *execenv)
{
	struct posix_thread *pt = posix_thread_current();
	uint64_t ready;
	int sig;

	while ((ready = pt->pending & ~pt->blocked) || is_ending(pt)) {
		if (is_ending(pt))
			posix_process_end(0, 0);
		sig = __builtin_ctzll(ready) + 1;
		pt->pending &= ~posix_signal_bit(sig);
		if (posix_signal_ignored(sig))
			continue;
		if (posix_sigactions[sig].handler == SIG_DFL)
			posix_process_end(0, sig);
		if (posix_sigactions[sig].flags & SA_RESTART)
			restart(&execenv->regs);
		call_handler(execenv, pt, sig, NULL);
	}
	posix_signal_unmask();
}

/* One that is blocked or ignored would come again and again. */
bool posix_signal_has_handler(int sig)
{
	return posix_sigactions[sig].handler != SIG_DFL &&
	       posix_sigactions[sig].handler != SIG_IGN &&
	       !(posix_thread_current()->blocked & posix_signal_bit(sig));
}

void posix_signal_fault(struct ukarch_execenv *execenv, int sig,
			const struct posix_fault *fault)
{
	call_handler(execenv, posix_thread_current(), sig, fault);
}

UK_LLSYSCALL_R_E_DEFINE(long, rt_sigreturn)
{
	/* The handler's return has taken the address from the frame. */
	const struct sigframe *f =
		(const struct sigframe *)(execenv->regs.rsp - 8);

	posix_thread_current()->blocked =
		f->mask & ~(posix_signal_bit(SIGKILL) |
			    posix_signal_bit(SIGSTOP));
	if (f->mc.fpstate) {
		memcpy(execenv->ectx, f->mc.fpstate, UKARCH_ECTX_SIZE);
		ukarch_ectx_check(execenv->ectx);
	}
	load_regs(&execenv->regs, &f->mc);
	return (long)execenv->regs.rax;
}
