/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads pass a ball; each counts in a thread-local variable. */
#include <stdio.h>
#include <string.h>
#include <uk/config.h>
#include <uk/plat/time.h>
#include <uk/sched.h>
#include <uk/semaphore.h>
#include <uk/syscall.h>

struct player {
	const char *name;
	struct uk_semaphore turn;
	struct player *other;
};

static __thread int count;
static struct uk_semaphore done;

static void say(const char *text)
{
	uk_syscall_r_static(SYS_write, 1, text, strlen(text));
}

static void play(void *arg)
{
	struct player *me = arg;
	char line[80];

	while (count < CONFIG_APPTHREADS_ROUNDS) {
		uk_semaphore_down(&me->turn);
		count++;
		snprintf(line, sizeof(line), "%s %d\n", me->name, count);
		say(line);
		uk_sched_thread_sleep(1000000);
		uk_semaphore_up(&me->other->turn);
	}
	uk_semaphore_up(&done);
}

int main(int argc __unused, char *argv[] __unused)
{
	static struct player ping = { .name = "ping" };
	static struct player pong = { .name = "pong" };
	struct uk_sched *s = uk_sched_current();
	uint64_t start = ukplat_monotonic_clock();
	char line[80];

	ping.other = &pong;
	pong.other = &ping;
	uk_semaphore_init(&done, 0);
	uk_semaphore_init(&ping.turn, 1);
	uk_semaphore_init(&pong.turn, 0);
	if (!uk_sched_thread_create(s, play, &ping, "ping") ||
	    !uk_sched_thread_create(s, play, &pong, "pong")) {
		say("No memory for threads\n");
		return 1;
	}
	uk_semaphore_down(&done);
	uk_semaphore_down(&done);
	snprintf(line, sizeof(line), "Both are done; main counted %d; %s\n",
		 count,
		 ukplat_monotonic_clock() - start >=
		 2ULL * CONFIG_APPTHREADS_ROUNDS * 1000000 ?
		 "the clock agrees" : "the clock is wrong");
	say(line);
	return 0;
}
