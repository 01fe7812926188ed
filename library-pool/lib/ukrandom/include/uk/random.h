/* SPDX-License-Identifier: BSD-3-Clause */
/* Random bytes. */
#ifndef UK_RANDOM_H
#define UK_RANDOM_H

#include <uk/essentials.h>

void uk_random_fill(void *buf, size_t len);

#endif /* UK_RANDOM_H */
