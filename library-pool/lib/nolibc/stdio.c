/* SPDX-License-Identifier: BSD-3-Clause */
/* Printing to the console; there are no streams. */
#include <stdio.h>
#include <string.h>
#include <uk/console.h>

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
