/* SPDX-License-Identifier: BSD-3-Clause */
/* Time, in nanoseconds. */
#ifndef UK_PLAT_TIME_H
#define UK_PLAT_TIME_H

#include <uk/essentials.h>

#define UKARCH_NSEC_PER_SEC	1000000000ULL

/* Since boot; never goes back. */
uint64_t ukplat_monotonic_clock(void);
/* Since 1970-01-01 00:00 UTC. */
uint64_t ukplat_wall_clock(void);

/*
 * From now on programs are interrupted again and again, so that one that
 * computes does not keep the processor: see ukplat_trap_register().
 */
void ukplat_tick_start(void);

#endif /* UK_PLAT_TIME_H */
