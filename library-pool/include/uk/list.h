/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doubly linked tail queues. An entry is two words: the next element, and the
 * address of the pointer that points at this element.
 */
#ifndef UK_LIST_H
#define UK_LIST_H

#include <stddef.h>

#define UK_TAILQ_HEAD(name, type)					\
	struct name { type *first; type **last; }

#define UK_TAILQ_ENTRY(type)						\
	struct { type *next; type **prev; }

#define UK_TAILQ_HEAD_INITIALIZER(h)	{ NULL, &(h).first }
#define UK_TAILQ_INIT(h)		((h)->first = NULL, (h)->last = &(h)->first)
#define UK_TAILQ_EMPTY(h)		((h)->first == NULL)
#define UK_TAILQ_FIRST(h)		((h)->first)
#define UK_TAILQ_NEXT(e, field)		((e)->field.next)

#define UK_TAILQ_FOREACH(v, h, field)					\
	for ((v) = (h)->first; (v); (v) = (v)->field.next)

#define UK_TAILQ_INSERT_TAIL(h, e, field) do {				\
	(e)->field.next = NULL;						\
	(e)->field.prev = (h)->last;					\
	*(h)->last = (e);						\
	(h)->last = &(e)->field.next;					\
} while (0)

#define UK_TAILQ_REMOVE(h, e, field) do {				\
	if ((e)->field.next)						\
		(e)->field.next->field.prev = (e)->field.prev;		\
	else								\
		(h)->last = (e)->field.prev;				\
	*(e)->field.prev = (e)->field.next;				\
} while (0)

#endif /* UK_LIST_H */
