/* SPDX-License-Identifier: BSD-3-Clause */
/* Init functions; see uk/ctors.h, which defines the tables. */
#ifndef UK_INIT_H
#define UK_INIT_H

#include <uk/ctors.h>

#endif /* UK_INIT_H */
