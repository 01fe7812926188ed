/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Thread-local storage as the System V ABI of x86-64 lays it out (variant II):
 * the data lies below the thread pointer, which points at its own address.
 */
#ifndef UK_ARCH_TLS_H
#define UK_ARCH_TLS_H

#include <uk/essentials.h>

#define UKARCH_TLS_ALIGN	64
#define UKARCH_TCB_SIZE		64	/* room for the self pointer and a canary */

/* Bytes of a TLS area, data and control block. */
size_t ukarch_tls_area_size(void);
/* Copies the initial image of all thread-local variables into `area`. */
void ukarch_tls_area_init(void *area);
/* The thread pointer (FS base) of an area. */
uintptr_t ukarch_tls_tlsp(void *area);

uintptr_t ukplat_tlsp_get(void);
void ukplat_tlsp_set(uintptr_t tlsp);

#endif /* UK_ARCH_TLS_H */
