/* SPDX-License-Identifier: BSD-3-Clause */
/* The three standard descriptors. */
#include <uk/config.h>
#include <uk/console.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/syscall.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define POLL_NS	10000000ULL

/* Gives way until there may be input; the serial port's interrupt ends it. */
static void wait_for_input(void)
{
#if CONFIG_LIBUKSCHED
	uk_sched_thread_sleep(POLL_NS);
#else
	unsigned long flags = ukplat_lcpu_save_irqf();

	ukplat_lcpu_halt_irq_until(ukplat_monotonic_clock() + POLL_NS);
	ukplat_lcpu_restore_irqf(flags);
#endif
}

UK_SYSCALL_R_DEFINE(ssize_t, read, int, fd, void *, buf, size_t, count)
{
	char *text = buf;
	long got, i;

	if (fd != 0)
		return -EBADF;
	if (!count)
		return 0;
	while (!(got = uk_console_in(text, count)))
		wait_for_input();
	/* What a terminal does: Enter is the end of a line, and one sees it. */
	for (i = 0; i < got; i++)
		if (text[i] == '\r')
			text[i] = '\n';
	if (got > 0)
		uk_console_out(text, (size_t)got);
	return got;
}

UK_SYSCALL_R_DEFINE(ssize_t, write, int, fd, const void *, buf, size_t, count)
{
	if (fd != 1 && fd != 2)
		return -EBADF;
	return uk_console_out(buf, count);
}

UK_SYSCALL_R_DEFINE(ssize_t, writev, int, fd, const struct iovec *, iov, int,
		    iovcnt)
{
	ssize_t sum = 0;
	long n;
	int i;

	if (fd != 1 && fd != 2)
		return -EBADF;
	if (iovcnt < 0)
		return -EINVAL;
	for (i = 0; i < iovcnt; i++) {
		n = uk_console_out(iov[i].iov_base, iov[i].iov_len);
		if (n < 0)
			return sum ? sum : n;
		sum += n;
	}
	return sum;
}

UK_LLSYSCALL_R_DEFINE(int, ioctl, int, fd, unsigned long, request, void *, arg)
{
	(void)request;
	(void)arg;
	return fd >= 0 && fd <= 2 ? -ENOTTY : -EBADF;
}

UK_SYSCALL_R_DEFINE(int, close, int, fd)
{
	return fd >= 0 && fd <= 2 ? 0 : -EBADF;
}
