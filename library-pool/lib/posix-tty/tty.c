/* SPDX-License-Identifier: BSD-3-Clause */
/* Line discipline over the console (termios(3)). */
#include <errno.h>
#include <string.h>
#include <posix/tty.h>
#include <uk/config.h>
#include <uk/interrupted.h>
#include <uk/console.h>
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#if CONFIG_LIBUKSCHED
#include <uk/sched.h>
#endif

#define POLL_NS		10000000ULL
#define LINE_MAX	4096

#define TCGETS		0x5401
#define TCSETS		0x5402
#define TCSETSF		0x5404
#define TIOCGPGRP	0x540f
#define TIOCSPGRP	0x5410
#define TIOCGWINSZ	0x5413
#define FIONREAD	0x541b

#define ICRNL		0000400
#define OPOST		0000001
#define ONLCR		0000004
#define ISIG		0000001
#define ICANON		0000002
#define ECHO		0000010
#define ECHOE		0000020
#define ECHOK		0000040
#define IEXTEN		0100000
#define B38400_CS8_CREAD 0000277

#define VINTR		0
#define VERASE		2
#define VKILL		3
#define VEOF		4
#define VMIN		6
#define VLNEXT		15
#define O_NONBLOCK	04000
#define STATUS_SIGINT	130

struct termios {
	uint32_t c_iflag;
	uint32_t c_oflag;
	uint32_t c_cflag;
	uint32_t c_lflag;
	uint8_t c_line;
	uint8_t c_cc[19];
};

struct winsize {
	uint16_t rows, cols, xpixel, ypixel;
};

static struct termios termios = {
	.c_iflag = ICRNL,
	.c_oflag = OPOST | ONLCR,
	.c_cflag = B38400_CS8_CREAD,
	.c_lflag = ISIG | ICANON | ECHO | ECHOE | ECHOK | IEXTEN,
	.c_cc = {
		[VINTR] = 3, [VERASE] = 127, [VKILL] = 21, [VEOF] = 4,
		[VMIN] = 1, [VLNEXT] = 22,
	},
};

/* What was typed; up to `ready` it can be read. */
static char line[LINE_MAX];
static size_t length, ready, taken;
static bool ended;		/* end-of-file comes after what is ready */
static bool literal;		/* the next byte means itself */

static void echo(const char *text, size_t len)
{
	if (termios.c_lflag & ECHO)
		uk_console_out(text, len);
}

static void erase(void)
{
	if (length == ready)
		return;
	length--;
	echo("\b \b", 3);
}

static void type(char c)
{
	if (!literal) {
		if (c == '\r' && (termios.c_iflag & ICRNL))
			c = '\n';
		if (termios.c_lflag & ICANON) {
			if (c == (char)termios.c_cc[VLNEXT] &&
			    (termios.c_lflag & IEXTEN)) {
				literal = true;
				return;
			}
			if (c == (char)termios.c_cc[VEOF]) {
				ended = true;
				ready = length;
				return;
			}
			if (c == (char)termios.c_cc[VERASE] &&
			    (termios.c_lflag & ECHOE)) {
				erase();
				return;
			}
			if (c == (char)termios.c_cc[VKILL] &&
			    (termios.c_lflag & ECHOK)) {
				while (length > ready)
					erase();
				return;
			}
		}
		if (c == (char)termios.c_cc[VINTR] &&
		    (termios.c_lflag & ISIG)) {
			echo("^C\n", 3);
#if CONFIG_LIBPOSIX_PROCESS_SIGNALS
			posix_signal_interrupt();
			return;
#else
			ukplat_exit(STATUS_SIGINT);
#endif
		}
	}
	line[length++] = c;
	echo(&c, 1);
	if ((c == '\n' && !literal) || !(termios.c_lflag & ICANON))
		ready = length;
	literal = false;
}

/* Takes from the console what there is room for. */
static void pump(void)
{
	char c;

	if (taken && taken == length)
		taken = ready = length = 0;
	while (length < LINE_MAX && !ended && uk_console_in(&c, 1) == 1)
		type(c);
	/* A line that fills the buffer is as good as ended. */
	if (length == LINE_MAX)
		ready = length;
}

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

static ssize_t tty_read(struct vnode *vn, void *buf, size_t len,
			uint64_t off __unused, int flags)
{
	size_t n;

	if (!len)
		return 0;
	for (;;) {
		pump();
		if (ready > taken)
			break;
		if (ended) {
			ended = false;
			return 0;
		}
		if (!(termios.c_lflag & ICANON) && !termios.c_cc[VMIN])
			return 0;
		if (flags & O_NONBLOCK)
			return -EAGAIN;
		if (uk_interrupted())
			return -EINTR;
		wait_for_input();
	}
	n = MIN(len, ready - taken);
	if (termios.c_lflag & ICANON) {
		const char *end = memchr(line + taken, '\n', n);

		if (end)
			n = (size_t)(end + 1 - (line + taken));
	}
	memcpy(buf, line + taken, n);
	taken += n;
	vnode_changed(vn);
	return (ssize_t)n;
}

static ssize_t tty_write(struct vnode *vn __unused, const void *buf,
			 size_t len, uint64_t off __unused, int flags __unused)
{
	return uk_console_out(buf, len);
}

static int tty_ioctl(struct vnode *vn __unused, unsigned long request,
		     void *arg)
{
	switch (request) {
	case TCGETS:
		memcpy(arg, &termios, sizeof(termios));
		return 0;
	case TCSETS ... TCSETSF:
		memcpy(&termios, arg, sizeof(termios));
		return 0;
	case TIOCGWINSZ:
		*(struct winsize *)arg = (struct winsize) { 24, 80, 0, 0 };
		return 0;
	case TIOCGPGRP:
		*(int *)arg = 1;
		return 0;
	case TIOCSPGRP:
		return 0;
	case FIONREAD:
		pump();
		*(int *)arg = (int)(ready - taken);
		return 0;
	default:
		return -ENOTTY;
	}
}

static int tty_poll(struct vnode *vn, int flags __unused)
{
	size_t before = ready;

	pump();
	if (ready != before)
		vnode_changed(vn);
	return POLLOUT | (ready > taken || ended ? POLLIN : 0);
}

static int tty_truncate(struct vnode *vn __unused, uint64_t size __unused)
{
	return 0;
}

static const struct vnode_ops tty_ops = {
	.read = tty_read,
	.write = tty_write,
	.ioctl = tty_ioctl,
	.poll = tty_poll,
	.truncate = tty_truncate,
};

/* What isatty() asks for, a file has not. */
static int no_tty_ioctl(struct vnode *vn __unused,
			unsigned long request __unused, void *arg __unused)
{
	return -ENOTTY;
}

static const struct vnode_ops quiet_ops = {
	.read = tty_read,
	.write = tty_write,
	.ioctl = no_tty_ioctl,
	.poll = tty_poll,
	.truncate = tty_truncate,
};

static struct vnode tty;

struct vnode *posix_tty_vnode(void)
{
	if (!tty.ops) {
		vnode_init(&tty, &tty_ops, S_IFCHR | 0620);
		tty.rdev = 5 << 8;
	}
	return &tty;
}

void posix_tty_quiet(void)
{
	posix_tty_vnode()->ops = &quiet_ops;
	termios.c_iflag = 0;
	termios.c_lflag = ICANON | IEXTEN;
}
