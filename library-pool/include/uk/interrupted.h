/* SPDX-License-Identifier: BSD-3-Clause */
/* For system calls that wait: signals, where there are any. */
#ifndef UK_INTERRUPTED_H
#define UK_INTERRUPTED_H

#include <errno.h>
#include <uk/config.h>
#include <uk/essentials.h>

#if CONFIG_LIBPOSIX_PROCESS_SIGNALS
#include <posix/signal.h>

/* Whether a call has to stop waiting, with -EINTR. */
static inline bool uk_interrupted(void)
{
	return posix_signal_ready();
}

/* Has a call stopped by what a mask lets through; NULL changes nothing. */
static inline void uk_interruptible_by(const uint64_t *mask)
{
	if (mask)
		posix_signal_mask(*mask);
}

/*
 * How such a call ends: only one that a signal stopped leaves the mask for the
 * delivery of that signal. Gives back `rc`.
 */
static inline int uk_interruptible_end(int rc)
{
	if (rc != -EINTR)
		posix_signal_unmask();
	return rc;
}

/* Tells the program of a broken pipe. */
static inline void uk_broken_pipe(void)
{
	posix_signal_raise(SIGPIPE);
}
#else
static inline bool uk_interrupted(void)
{
	return false;
}

static inline void uk_interruptible_by(const uint64_t *mask __unused)
{
}

static inline int uk_interruptible_end(int rc)
{
	return rc;
}

static inline void uk_broken_pipe(void)
{
}
#endif

#endif /* UK_INTERRUPTED_H */
