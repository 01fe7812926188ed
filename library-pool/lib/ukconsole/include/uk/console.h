/* SPDX-License-Identifier: BSD-3-Clause */
/* Consoles. */
#ifndef UK_CONSOLE_H
#define UK_CONSOLE_H

#include <uk/essentials.h>

#define UK_CONSOLE_FLAG_STDOUT	1
#define UK_CONSOLE_FLAG_STDIN	2

struct uk_console;

/* Both return the number of bytes taken, or a negative error number. */
struct uk_console_ops {
	long (*out)(struct uk_console *dev, const char *buf, size_t len);
	/* Does not wait: 0 where there is no input. */
	long (*in)(struct uk_console *dev, char *buf, size_t len);
};

struct uk_console {
	const char *name;
	const struct uk_console_ops *ops;
	unsigned int flags;
	struct uk_console *next;
};

void uk_console_register(struct uk_console *dev);

/* Writes to all output consoles; returns `len`, or -ENODEV without any. */
long uk_console_out(const char *buf, size_t len);

/* Reads what is there, at most `len` bytes; 0 where there is nothing. */
long uk_console_in(char *buf, size_t len);

#endif /* UK_CONSOLE_H */
