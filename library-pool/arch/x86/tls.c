/* SPDX-License-Identifier: BSD-3-Clause */
/* TLS areas: the image's initial data, its zeroes, and the control block. */
#include <string.h>
#include <uk/arch/tls.h>

/* Set by the linker around .tdata and .tbss. */
extern char _tls_start[], _etdata[], _tls_end[];

/* The thread pointer must be aligned as the segment is; data ends there. */
static size_t tls_data_size(void)
{
	return ALIGN_UP((size_t)(_tls_end - _tls_start),
			(size_t)UKARCH_TLS_ALIGN);
}

size_t ukarch_tls_area_size(void)
{
	return tls_data_size() + UKARCH_TCB_SIZE;
}

uintptr_t ukarch_tls_tlsp(void *area)
{
	return (uintptr_t)area + tls_data_size();
}

void ukarch_tls_area_init(void *area)
{
	uintptr_t tlsp = ukarch_tls_tlsp(area);

	/* The linker gives the segment this alignment, so it starts the area. */
	memset(area, 0, ukarch_tls_area_size());
	memcpy(area, _tls_start, (size_t)(_etdata - _tls_start));
	*(uintptr_t *)tlsp = tlsp;
}
