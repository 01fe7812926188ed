/* SPDX-License-Identifier: BSD-3-Clause */
/* COM1, a 16550: the console, and the emergency output of crashes. */
#include <uk/config.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <uk/init.h>
#include <pc/pc.h>
#include <x86/cpu.h>
#if CONFIG_LIBUKCONSOLE
#include <uk/console.h>
#endif

#define COM1		0x3f8
#define COM1_IRQ	4
#define DATA		(COM1 + 0)
#define IER		(COM1 + 1)
#define LCR		(COM1 + 3)
#define MCR		(COM1 + 4)
#define LSR		(COM1 + 5)

#define IER_RX		0x01
#define LCR_8N1		0x03
#define LCR_DLAB	0x80
#define MCR_OUT2	0x0b	/* DTR, RTS, and the gate of the interrupt */
#define LSR_RX_READY	0x01
#define LSR_TX_EMPTY	0x20

static void put_raw(char c)
{
	while (!(inb(LSR) & LSR_TX_EMPTY))
		;
	outb(DATA, (uint8_t)c);
}

static void put(char c)
{
	if (c == '\n')
		put_raw('\r');
	put_raw(c);
}

void pc_emergency_puts(const char *s)
{
	while (*s)
		put(*s++);
}

void pc_com_init(void)
{
	outb(IER, 0);
	outb(LCR, LCR_DLAB);
	outb(DATA, 1);		/* 115200 baud */
	outb(IER, 0);
	outb(LCR, LCR_8N1);
}

#if CONFIG_LIBUKCONSOLE
static long com_out(struct uk_console *dev __unused, const char *buf,
		    size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		put(buf[i]);
	return (long)len;
}

static long com_in(struct uk_console *dev __unused, char *buf, size_t len)
{
	size_t i;

	for (i = 0; i < len && (inb(LSR) & LSR_RX_READY); i++)
		buf[i] = (char)inb(DATA);
	return (long)i;
}

static const struct uk_console_ops com_ops = {
	.out = com_out,
	.in = com_in,
};

static struct uk_console com1 = {
	.name = "COM1",
	.ops = &com_ops,
	.flags = UK_CONSOLE_FLAG_STDOUT | UK_CONSOLE_FLAG_STDIN,
};

static void com_register(void)
{
	uk_console_register(&com1);
}
UK_CTOR_PRIO(com_register, 0);

/* Nothing to do: the interrupt is there to end a halt. */
static int com_irq(void *arg __unused)
{
	return 1;
}

static int com_irq_init(struct uk_init_ctx *ictx __unused)
{
	int rc = ukplat_irq_register(COM1_IRQ, com_irq, NULL);

	if (rc)
		return rc;
	outb(MCR, MCR_OUT2);
	outb(IER, IER_RX);
	return 0;
}
UK_INIT_ENTRY(com_irq_init, 2, 5);
#endif
