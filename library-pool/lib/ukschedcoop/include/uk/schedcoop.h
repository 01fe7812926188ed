/* SPDX-License-Identifier: BSD-3-Clause */
/* The cooperative scheduler. */
#ifndef UK_SCHEDCOOP_H
#define UK_SCHEDCOOP_H

#include <uk/sched.h>

/* Makes and registers a scheduler; NULL without memory. */
struct uk_sched *uk_schedcoop_create(struct uk_alloc *a);

#endif /* UK_SCHEDCOOP_H */
