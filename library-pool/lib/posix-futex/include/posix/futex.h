/* SPDX-License-Identifier: BSD-3-Clause */
/* For those who change a word on behalf of a program. */
#ifndef POSIX_FUTEX_H
#define POSIX_FUTEX_H

#include <uk/essentials.h>

/* Wakes up to `most` of those that wait for `addr`; how many. */
long posix_futex_wake(const uint32_t *addr, uint32_t most);

#endif /* POSIX_FUTEX_H */
