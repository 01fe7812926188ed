/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Several processes in one address space: fork(2) copies memory and what
 * POSIX_STATE() names, and whenever a thread of another process is to run,
 * both are exchanged.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <posix/process.h>
#include <posix/signal.h>
#include <posix/state.h>
#include <uk/ctors.h>
#include <uk/plat/bootstrap.h>
#include <uk/print.h>
#include <uk/sched.h>
#include "children.h"
#include "signal_impl.h"

extern const struct posix_state __start_posix_states[], __stop_posix_states[];

static struct posix_process root = { .pid = PID, .pgid = PID, .sid = PID };
static struct posix_process *current = &root;
/* Of a process that has ended, until another's is in place. */
static struct space *left;

struct posix_process *posix_process_current(void)
{
	return posix_thread_current()->process;
}

struct posix_process *posix_process_next(const struct posix_process *p)
{
	return p ? p->next : &root;
}

struct posix_process *posix_process_find(pid_t pid)
{
	struct posix_process *p;

	for (p = &root; p && p->pid != pid; p = p->next)
		;
	return p;
}

static size_t state_size(void)
{
	const struct posix_state *s;
	size_t size = 0;

	for (s = __start_posix_states; s < __stop_posix_states; s++)
		size += s->size;
	return size;
}

static void store(char *to)
{
	const struct posix_state *s;

	for (s = __start_posix_states; s < __stop_posix_states; s++) {
		memcpy(to, s->at, s->size);
		to += s->size;
	}
}

static void load(const char *from)
{
	const struct posix_state *s;

	for (s = __start_posix_states; s < __stop_posix_states; s++) {
		memcpy(s->at, from, s->size);
		from += s->size;
	}
}

/* Before a thread goes on. Threads of the kernel run in any process. */
static void enter(struct uk_thread *next)
{
	const struct posix_thread *pt = next->priv;
	struct posix_process *p = pt ? pt->process : NULL;

	if (!p || p == current)
		return;
	if (current)
		store(current->state);
	load(p->state);
	current = p;
	if (p->space != space_current())
		space_switch(p->space);
	if (left && left != p->space)
		space_free(left);
	left = NULL;
}

struct posix_process *posix_process_fork(bool borrow)
{
	struct posix_process *parent = posix_process_current();
	struct posix_process *p = calloc(1, sizeof(*p));
	const struct posix_state *s;

	if (!p)
		return NULL;
	p->pgid = parent->pgid;
	p->sid = parent->sid;
	p->parent = parent;
	p->borrows = borrow;
	p->state = malloc(state_size());
	p->space = borrow ? parent->space : space_copy();
	if (!p->state || !p->space) {
		if (p->space && !borrow)
			space_free(p->space);
		free(p->state);
		free(p);
		return NULL;
	}
	store(p->state);
	for (s = __start_posix_states; s < __stop_posix_states; s++)
		if (s->forked)
			s->forked();
	p->next = root.next;
	root.next = p;
	return p;
}

void posix_process_forget(struct posix_process *p)
{
	struct posix_process *before;

	for (before = &root; before->next != p; before = before->next)
		;
	before->next = p->next;
	free(p->state);
	free(p);
}

static void call_ended(void)
{
	const struct posix_state *s;

	for (s = __start_posix_states; s < __stop_posix_states; s++)
		if (s->ended)
			s->ended();
}

void posix_process_drop(struct posix_process *p)
{
	/* What it holds a second time is what is in place. */
	store(current->state);
	call_ended();
	load(current->state);
	if (!p->borrows)
		space_free(p->space);
	posix_process_forget(p);
}

void posix_process_wait_for_memory(pid_t child)
{
	struct uk_thread *t = uk_thread_current();
	const struct posix_process *p;

	/* Another thread may have waited for its end, and it is gone. */
	while ((p = posix_process_find(child)) && p->borrows) {
		uk_thread_block(t, 0);
		uk_sched_yield();
	}
}

/* Has threads of a process look again at what they wait for. */
static void wake_threads(const struct posix_process *p)
{
	struct posix_thread *pt;

	for (pt = &posix_thread_first; pt; pt = pt->next)
		if (pt->process == p)
			posix_thread_wake(pt);
}

static void give_back(struct posix_process *p)
{
	p->borrows = false;
	wake_threads(p->parent);
}

/* What is left of a process when its last thread ends. */
static void bury(struct posix_process *p)
{
	struct posix_process *c, *next;

	call_ended();
	current = NULL;
	if (p->borrows) {
		give_back(p);
	} else {
		pages_give_all();
		left = p->space;
	}
	p->space = NULL;
	for (c = root.next; c; c = next) {
		next = c->next;
		if (c->parent != p)
			continue;
		c->parent = &root;
		if (c->ended)
			posix_process_forget(c);
	}
	p->ended = true;
	posix_signal_send(p->parent, SIGCHLD);
	wake_threads(p->parent);
}

void posix_process_leave(struct posix_thread *pt)
{
	struct posix_process *p = pt->process;
	bool last = !--p->nr_threads;

	posix_thread_leave(pt);
	if (last)
		bury(p);
	uk_sched_thread_exit();
}

void posix_process_end(int status, int sig)
{
	struct posix_thread *pt = posix_thread_current();
	struct posix_process *p = pt->process;

	uk_pr_info("Process %d ended with status %d, signal %d\n", p->pid,
		   status, sig);
	if (p == &root)
		ukplat_exit(sig ? 128 + sig : status);
	if (!p->ending) {
		p->ending = true;
		p->status = sig ? sig : (status & 0xff) << 8;
		wake_threads(p);
	}
	posix_process_leave(pt);
}

void posix_process_exec(void)
{
	struct posix_thread *pt = posix_thread_current();
	struct posix_process *p = pt->process;

	if (p->borrows) {
		struct space *own = space_new();

		if (!own)
			posix_process_end(0, SIGKILL);
		p->space = own;
		space_switch(own);
		give_back(p);
	}
	posix_mmap_reset();
	posix_signal_exec();
	pt->clear_tid = NULL;
	pt->altstack = (struct posix_stack) { NULL, SS_DISABLE, 0 };
}

static int children_init(struct uk_init_ctx *ictx __unused)
{
	root.state = malloc(state_size());
	if (!root.state)
		return -ENOMEM;
	root.space = space_current();
	root.nr_threads = 1;
	posix_thread_first.process = &root;
	posix_thread_first.thread = uk_thread_current();
	uk_thread_current()->priv = &posix_thread_first;
	uk_sched_switch_hook = enter;
	return 0;
}
UK_INIT_ENTRY(children_init, 3, 7);
