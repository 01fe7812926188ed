/* SPDX-License-Identifier: BSD-3-Clause */
/* Printing to the console; there are no streams. */
#include <stdio.h>
#include <string.h>
#include <uk/console.h>

/* Longer texts than this are printed in two goes through the formatter. */
#define LINE	256

int vprintf(const char *restrict fmt, va_list ap)
{
	char line[LINE];
	va_list again;
	int len;

	va_copy(again, ap);
	len = vsnprintf(line, sizeof(line), fmt, ap);
	if (len < (int)sizeof(line)) {
		uk_console_out(line, (size_t)len);
	} else {
		char whole[len + 1];

		vsnprintf(whole, sizeof(whole), fmt, again);
		uk_console_out(whole, (size_t)len);
	}
	va_end(again);
	return len;
}

int printf(const char *restrict fmt, ...)
{
	va_list ap;
	int len;

	va_start(ap, fmt);
	len = vprintf(fmt, ap);
	va_end(ap);
	return len;
}

int puts(const char *s)
{
	uk_console_out(s, strlen(s));
	uk_console_out("\n", 1);
	return 0;
}

int putchar(int c)
{
	char byte = (char)c;

	uk_console_out(&byte, 1);
	return (unsigned char)c;
}
