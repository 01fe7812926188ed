/* SPDX-License-Identifier: BSD-3-Clause */
/* The list of consoles and what goes to all of them. */
#include <errno.h>
#include <uk/console.h>

static struct uk_console *consoles;

void uk_console_register(struct uk_console *dev)
{
	dev->next = consoles;
	consoles = dev;
}

long uk_console_out(const char *buf, size_t len)
{
	struct uk_console *dev;
	long ret = -ENODEV;

	for (dev = consoles; dev; dev = dev->next) {
		if (!(dev->flags & UK_CONSOLE_FLAG_STDOUT))
			continue;
		dev->ops->out(dev, buf, len);
		ret = (long)len;
	}
	return ret;
}

long uk_console_in(char *buf, size_t len)
{
	struct uk_console *dev;
	long got;

	for (dev = consoles; dev; dev = dev->next) {
		if (!(dev->flags & UK_CONSOLE_FLAG_STDIN))
			continue;
		got = dev->ops->in(dev, buf, len);
		if (got)
			return got;
	}
	return 0;
}
