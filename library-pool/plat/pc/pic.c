/* SPDX-License-Identifier: BSD-3-Clause */
/* The two 8259 interrupt controllers. */
#include <errno.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <pc/pc.h>
#include <x86/cpu.h>

#define MASTER		0x20
#define SLAVE		0xa0
#define ICW1		0x11	/* edge triggered, cascaded, ICW4 follows */
#define ICW4_8086	0x01
#define EOI		0x20
#define CASCADE		2

static struct {
	ukplat_irq_handler_t func;
	void *arg;
} handlers[16];

void pc_pic_init(void)
{
	outb(MASTER, ICW1);
	outb(SLAVE, ICW1);
	outb(MASTER + 1, PC_IRQ_BASE);
	outb(SLAVE + 1, PC_IRQ_BASE + 8);
	outb(MASTER + 1, 1 << CASCADE);
	outb(SLAVE + 1, CASCADE);
	outb(MASTER + 1, ICW4_8086);
	outb(SLAVE + 1, ICW4_8086);
	outb(MASTER + 1, (uint8_t)~(1 << CASCADE));
	outb(SLAVE + 1, 0xff);
}

int ukplat_irq_register(unsigned long irq, ukplat_irq_handler_t func, void *arg)
{
	uint16_t port = irq < 8 ? MASTER + 1 : SLAVE + 1;
	unsigned long flags;

	if (irq >= 16 || irq == CASCADE || handlers[irq].func)
		return -EINVAL;
	flags = ukplat_lcpu_save_irqf();
	handlers[irq].func = func;
	handlers[irq].arg = arg;
	outb(port, inb(port) & (uint8_t)~(1 << (irq & 7)));
	ukplat_lcpu_restore_irqf(flags);
	return 0;
}

void pc_irq_handle(unsigned int irq)
{
	if (handlers[irq].func)
		handlers[irq].func(handlers[irq].arg);
	if (irq >= 8)
		outb(SLAVE, EOI);
	outb(MASTER, EOI);
}
