/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals, between who records and who delivers them. */
#ifndef POSIX_PROCESS_SIGNAL_IMPL_H
#define POSIX_PROCESS_SIGNAL_IMPL_H

#include <uk/essentials.h>

#define NSIG		64
#define SIGKILL		9
#define SIGCHLD		17
#define SIGCONT		18
#define SIGSTOP		19
#define SIGURG		23
#define SIGWINCH	28

#define SIG_DFL		0UL
#define SIG_IGN		1UL

#define SA_ONSTACK	0x08000000UL
#define SA_NODEFER	0x40000000UL
#define SA_RESETHAND	0x80000000UL

struct posix_sigaction {
	unsigned long handler;
	unsigned long flags;
	unsigned long restorer;
	uint64_t mask;
};

/* By number; 0 is none. */
extern struct posix_sigaction posix_sigactions[NSIG + 1];

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
