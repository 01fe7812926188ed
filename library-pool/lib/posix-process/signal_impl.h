/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, between who records and who delivers them. */
#ifndef POSIX_PROCESS_SIGNAL_IMPL_H
#define POSIX_PROCESS_SIGNAL_IMPL_H

#include <posix/signal.h>
#include <sys/types.h>
#include <uk/essentials.h>

#define NSIG		64
#define SIGILL		4
#define SIGTRAP		5
#define SIGBUS		7
#define SIGFPE		8
#define SIGKILL		9
#define SIGSEGV		11
#define SIGALRM		14
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGURG		23
#define SIGWINCH	28

#define SIG_DFL		0UL
#define SIG_IGN		1UL

#define SA_ONSTACK	0x08000000UL
#define SA_RESTART	0x10000000UL
#define SA_NODEFER	0x40000000UL
#define SA_RESETHAND	0x80000000UL

#define SI_USER		0
#define SI_KERNEL	0x80
#define SI_TKILL	(-6)

struct posix_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

struct posix_siginfo {
	int signo, error, code, pad;
	union {
		struct {
			pid_t pid;
			unsigned int uid;
			int status;
		} child;
		uintptr_t fault;	/* where it happened */
		uint8_t rest[112];
	};
};

UK_CTASSERT(sizeof(struct posix_siginfo) == 128);

/* What else a signal handler is told of an exception. */
struct posix_fault {
	uint64_t vector, error, addr;
	int code;
};

/* By number; 0 is none. */
extern struct posix_sigaction posix_sigactions[NSIG + 1];

/* While a frame is written to the program's stack, which may be none. */
extern bool posix_signal_writes_frame;

struct posix_process;
struct posix_thread;

/* 0, or -EINVAL, -ESRCH. */
int posix_signal_send_thread(struct posix_thread *pt, int sig);
int posix_signal_send(struct posix_process *p, int sig);

/* Whether a fault has a handler that can be called now. */
bool posix_signal_has_handler(int sig);

/* Has the program go on in its handler for what it has done itself. */
void posix_signal_fault(struct ukarch_execenv *execenv, int sig,
			const struct posix_fault *fault);

static inline uint64_t posix_signal_bit(int sig)
{
	return 1ULL << (sig - 1);
}

/* Whether a signal without a handler leaves the program as it is. */
static inline bool posix_signal_ignored(int sig)
{
	unsigned long handler = posix_sigactions[sig].handler;

	return handler == SIG_IGN ||
	       (handler == SIG_DFL &&
		(sig == SIGCHLD || sig == SIGCONT || sig == SIGURG ||
		 sig == SIGWINCH));
}

#endif /* POSIX_PROCESS_SIGNAL_IMPL_H */
