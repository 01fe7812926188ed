/* SPDX-License-Identifier: BSD-3-Clause */
/* The configuration as macros; uk/bits/config.h is written by the build. */
#ifndef UK_CONFIG_H
#define UK_CONFIG_H

#include <uk/bits/config.h>

#endif /* UK_CONFIG_H */
