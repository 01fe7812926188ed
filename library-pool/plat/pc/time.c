/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Time: the time stamp counter tells it, the 8254 ends a sleep, the RTC gives
 * the date. The counter's rate is measured when the clock is first read, so
 * that a program without need of time does not wait for it.
 */
#include <uk/config.h>
#include <uk/plat/irq.h>
#include <uk/plat/lcpu.h>
#include <uk/plat/time.h>
#include <pc/pc.h>
#include <x86/cpu.h>

#define PIT_CH0		0x40
#define PIT_CONTROL	0x43
#define PIT_HZ		1193182ULL
#define PIT_RATE	0x34	/* channel 0, both bytes, mode 2 */
#define PIT_ONESHOT	0x30	/* channel 0, both bytes, mode 0 */
#define PIT_LATCH	0x00
#define PIT_MAX		65535ULL

/* How long a program computes until others get their turn. */
#define TICK_NS		10000000ULL

#define RTC_INDEX	0x70
#define RTC_DATA	0x71

static uint64_t tsc_boot;
static uint64_t tsc_hz;
static uint64_t wall_boot;	/* ns since 1970 at tsc_boot */

static uint16_t pit_read(void)
{
	uint8_t lo;

	outb(PIT_CONTROL, PIT_LATCH);
	lo = inb(PIT_CH0);
	return (uint16_t)(lo | (inb(PIT_CH0) << 8));
}

/* Leaf 0x40000010 of some hypervisors tells the rate in kHz. */
static uint64_t hypervisor_tsc_hz(void)
{
	uint32_t a, b, c, d;

	x86_cpuid(0x40000000, 0, &a, &b, &c, &d);
	if (a < 0x40000010 || a > 0x400000ff)
		return 0;
	x86_cpuid(0x40000010, 0, &a, &b, &c, &d);
	return (uint64_t)a * 1000;
}

static uint64_t measure_tsc_hz(void)
{
	uint64_t wanted = PIT_HZ * CONFIG_PC_CALIBRATION_MS / 1000;
	uint64_t start, passed = 0;
	uint16_t last, now;

	outb(PIT_CONTROL, PIT_RATE);
	outb(PIT_CH0, 0);	/* 0 stands for 65536 */
	outb(PIT_CH0, 0);
	last = pit_read();
	start = x86_rdtsc();
	while (passed < wanted) {
		now = pit_read();
		passed += (uint16_t)(last - now);
		last = now;
	}
	return (x86_rdtsc() - start) * PIT_HZ / passed;
}

uint64_t ukplat_monotonic_clock(void)
{
	uint64_t ticks;

	if (unlikely(!tsc_hz)) {
		unsigned long flags = ukplat_lcpu_save_irqf();

		tsc_hz = hypervisor_tsc_hz();
		if (!tsc_hz)
			tsc_hz = measure_tsc_hz();
		ukplat_lcpu_restore_irqf(flags);
	}
	ticks = x86_rdtsc() - tsc_boot;
	return (ticks / tsc_hz) * UKARCH_NSEC_PER_SEC +
	       (ticks % tsc_hz) * UKARCH_NSEC_PER_SEC / tsc_hz;
}

static unsigned int rtc_read(uint8_t reg)
{
	unsigned int bcd;

	outb(RTC_INDEX, reg);
	bcd = inb(RTC_DATA);
	return (bcd >> 4) * 10 + (bcd & 15);
}

static bool rtc_updating(void)
{
	outb(RTC_INDEX, 0x0a);
	return inb(RTC_DATA) & 0x80;
}

/* Days from 1970-01-01 to a date, 2000 to 2099. */
static uint64_t days_from_epoch(unsigned int y, unsigned int m, unsigned int d)
{
	static const uint16_t before[12] = { 0, 31, 59, 90, 120, 151, 181,
					     212, 243, 273, 304, 334 };
	uint64_t days = 10957 + (uint64_t)y * 365 + (y + 3) / 4;

	days += before[(m - 1) % 12] + d - 1;
	if (m > 2 && y % 4 == 0)
		days++;
	return days;
}

uint64_t ukplat_wall_clock(void)
{
	if (!wall_boot) {
		uint64_t now = ukplat_monotonic_clock();
		uint64_t days, secs;

		while (rtc_updating())
			;
		days = days_from_epoch(rtc_read(9), rtc_read(8), rtc_read(7));
		secs = rtc_read(4) * 3600 + rtc_read(2) * 60 + rtc_read(0);
		wall_boot = (days * 86400 + secs) * UKARCH_NSEC_PER_SEC - now;
	}
	return wall_boot + ukplat_monotonic_clock();
}

static bool ticks;

static void arm(uint64_t ns)
{
	uint64_t count = MIN(ns, 50000000ULL) * PIT_HZ / UKARCH_NSEC_PER_SEC;

	count = MAX(count, 1ULL);
	outb(PIT_CONTROL, PIT_ONESHOT);
	outb(PIT_CH0, (uint8_t)count);
	outb(PIT_CH0, (uint8_t)(count >> 8));
}

/* The interrupt is there to end a halt, or a program's turn. */
static int timer_irq(void *arg __unused)
{
	if (ticks)
		arm(TICK_NS);
	return 1;
}

void ukplat_tick_start(void)
{
	unsigned long flags;

	if (ticks)
		return;
	/* The rate is measured with the same timer. */
	ukplat_monotonic_clock();
	flags = ukplat_lcpu_save_irqf();
	ticks = true;
	arm(TICK_NS);
	ukplat_lcpu_restore_irqf(flags);
}

void pc_time_init(void)
{
	tsc_boot = x86_rdtsc();
	/* Mode 0 with no count loaded: silent until the first sleep. */
	outb(PIT_CONTROL, PIT_ONESHOT);
	ukplat_irq_register(0, timer_irq, NULL);
}

void ukplat_lcpu_halt_irq_until(uint64_t until)
{
	uint64_t now = ukplat_monotonic_clock();

	if (until <= now)
		return;
	arm(until - now);
	/* STI takes effect after the next instruction, so no wake-up is lost. */
	__asm__ __volatile__("sti; hlt; cli" ::: "memory");
}
