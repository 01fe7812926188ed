/* SPDX-License-Identifier: BSD-3-Clause */
/* Leaving the machine. */
#include <uk/plat/bootstrap.h>
#include <uk/plat/lcpu.h>
#include <x86/cpu.h>

#define ACPI_PM1A		0x604	/* as the PIIX4 of QEMU has it */
#define ACPI_SLEEP_S5		0x2000
#define DEBUG_EXIT		0x501	/* QEMU's isa-debug-exit */
#define DEBUG_EXIT_HALT		41
#define DEBUG_EXIT_CRASH	42
#define DEBUG_EXIT_STATUS	0x100	/* with the status in the low byte */
#define KEYBOARD		0x64	/* i8042; its reset ends Firecracker */
#define KEYBOARD_RESET		0xfe

void ukplat_terminate(enum ukplat_gstate request)
{
	ukplat_lcpu_disable_irq();
	if (request == UKPLAT_RESTART)
		outb(KEYBOARD, KEYBOARD_RESET);
	/* A crash must not look like an orderly power-off. */
	if (request == UKPLAT_CRASH)
		outw(DEBUG_EXIT, DEBUG_EXIT_CRASH);
	outw(ACPI_PM1A, ACPI_SLEEP_S5);
	outw(DEBUG_EXIT, DEBUG_EXIT_HALT);
	outb(KEYBOARD, KEYBOARD_RESET);
	for (;;)
		__asm__ __volatile__("cli; hlt");
}

void ukplat_exit(int status)
{
	ukplat_lcpu_disable_irq();
	/* Success is what an orderly power-off says by itself. */
	if (status & 0xff)
		outw(DEBUG_EXIT, (uint16_t)(DEBUG_EXIT_STATUS |
					    (status & 0xff)));
	ukplat_terminate(UKPLAT_HALT);
}
