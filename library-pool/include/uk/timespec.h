/* SPDX-License-Identifier: BSD-3-Clause */
/* Times as system calls are given them. */
#ifndef UK_TIMESPEC_H
#define UK_TIMESPEC_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <uk/plat/time.h>

/* Nanoseconds that no clock reaches; stands for all behind them. */
#define UK_TIMESPEC_FOREVER	(~0ULL / 4)

static inline bool uk_timespec_is_time(const struct timespec *ts)
{
	return ts->tv_sec >= 0 && ts->tv_nsec >= 0 &&
	       (uint64_t)ts->tv_nsec < UKARCH_NSEC_PER_SEC;
}

/* Of one that is a time. */
static inline uint64_t uk_timespec_ns(const struct timespec *ts)
{
	if ((uint64_t)ts->tv_sec > UK_TIMESPEC_FOREVER / UKARCH_NSEC_PER_SEC - 1)
		return UK_TIMESPEC_FOREVER;
	return (uint64_t)ts->tv_sec * UKARCH_NSEC_PER_SEC +
	       (uint64_t)ts->tv_nsec;
}

#endif /* UK_TIMESPEC_H */
