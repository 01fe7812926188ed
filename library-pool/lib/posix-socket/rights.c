/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Open files on their way between processes. A socket can be sent into itself,
 * or two into each other; once no descriptor leads to them, their references
 * are each other's alone, and only a search finds that out.
 */
#include <stdlib.h>
#include "socket.h"

unsigned int socket_in_flight;

void socket_drop_rights(struct rights *rights)
{
	unsigned int i;

	for (i = 0; rights && i < rights->count; i++)
		fdtab_release(rights->files[i]);
	free(rights);
}

/* Hands over the files that came with a message, or where it stays as well. */
void socket_take_rights(struct message *m, bool stays, struct received *with)
{
	unsigned int i;

	with->rights = m->rights;
	if (!stays) {
		socket_in_flight -= m->rights != NULL;
		m->rights = NULL;
	} else if (m->rights) {
		with->rights = malloc(sizeof(*with->rights));
		if (!with->rights)
			return;
		*with->rights = *m->rights;
		for (i = 0; i < m->rights->count; i++)
			m->rights->files[i]->refs++;
	}
}

/* How many of an open file's references are those of messages. */
static unsigned int in_messages(const struct file *f)
{
	const struct socket *s;
	const struct message *m;
	unsigned int n = 0, i;

	UK_TAILQ_FOREACH(s, &socket_all, all)
		UK_TAILQ_FOREACH(m, &s->messages, list)
			for (i = 0; m->rights && i < m->rights->count; i++)
				n += m->rights->files[i] == f;
	return n;
}

/* Marks what a socket that can be reached leads to; whether that was more. */
static bool reach_from(const struct socket *s)
{
	const struct message *m;
	struct socket *to;
	bool more = false;
	unsigned int i;

	UK_TAILQ_FOREACH(to, &s->waiting, accepts) {
		more |= !to->reached;
		to->reached = true;
	}
	UK_TAILQ_FOREACH(m, &s->messages, list) {
		for (i = 0; m->rights && i < m->rights->count; i++) {
			to = socket_of(m->rights->files[i]);
			if (!to || to->reached)
				continue;
			to->reached = more = true;
		}
	}
	return more;
}

void socket_collect(void)
{
	static bool collects;
	UK_TAILQ_HEAD(, struct message) lost = UK_TAILQ_HEAD_INITIALIZER(lost);
	struct message *m;
	struct socket *s, *c;
	bool more, any = false;

	/* What is closed on the way calls this again. */
	if (collects || !socket_in_flight)
		return;
	UK_TAILQ_FOREACH(s, &socket_all, all) {
		s->reached = !s->file ||
			     s->file->refs > in_messages(s->file);
		any |= !s->reached;
	}
	if (!any)
		return;
	/* What waits to be accepted is reached by who listens. */
	UK_TAILQ_FOREACH(s, &socket_all, all)
		UK_TAILQ_FOREACH(c, &s->waiting, accepts)
			c->reached = false;
	do {
		more = false;
		UK_TAILQ_FOREACH(s, &socket_all, all)
			more |= s->reached && reach_from(s);
	} while (more);
	UK_TAILQ_FOREACH(s, &socket_all, all)
		while (!s->reached && (m = socket_unqueue(s)))
			UK_TAILQ_INSERT_TAIL(&lost, m, list);
	collects = true;
	while ((m = UK_TAILQ_FIRST(&lost))) {
		UK_TAILQ_REMOVE(&lost, m, list);
		socket_drop(m);
	}
	collects = false;
}
