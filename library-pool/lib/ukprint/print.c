/* SPDX-License-Identifier: BSD-3-Clause */
/* Formats messages and sends them to the consoles. */
#include <stdarg.h>
#include <stdio.h>
#include <uk/console.h>
#include <uk/plat/time.h>
#include <uk/print.h>

#define LINE_MAX	512

static const char *const level_names[] = { "CRIT", "ERR", "Warn", "Info",
					   "dbg" };

static int timestamp(char *line, size_t size)
{
#if CONFIG_LIBUKPRINT_TIMESTAMP
	uint64_t us = ukplat_monotonic_clock() / 1000;

	return snprintf(line, size, "[%5lu.%06lu] ", us / 1000000,
			us % 1000000);
#else
	(void)line;
	(void)size;
	return 0;
#endif
}

void uk_printk(int lvl, const char *lib, const char *fmt, ...)
{
	char line[LINE_MAX];
	va_list ap;
	int n;

	n = timestamp(line, sizeof(line));
	n += snprintf(line + n, sizeof(line) - (size_t)n, "%-4s [%s] ",
		      level_names[lvl], lib);
	va_start(ap, fmt);
	n += vsnprintf(line + n, sizeof(line) - (size_t)n, fmt, ap);
	va_end(ap);
	uk_console_out(line, (size_t)MIN(n, LINE_MAX - 1));
}
