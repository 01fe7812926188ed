/* SPDX-License-Identifier: BSD-3-Clause */
/* The bump allocator. */
#ifndef UK_ALLOCBUMP_H
#define UK_ALLOCBUMP_H

#include <uk/alloc.h>

/* Makes an allocator at the start of the memory given; NULL if too small. */
struct uk_alloc *uk_allocbump_init(void *base, size_t len);

#endif /* UK_ALLOCBUMP_H */
