/* mem.h: memory that is always there.
 *
 * Running out of memory ends the program with exit code 71 and one line on stderr. That is safe at every point, because
 * every effect on the world is announced in the store before it starts (see docs/ARCHITECTURE.md, intent before effect):
 * the next run goes on from there. So no caller handles NULL. */
#ifndef DCV_BASE_MEM_H
#define DCV_BASE_MEM_H

#include <stddef.h>

void *mem_new(size_t size);                          /* zeroed */
void *mem_array(size_t n, size_t size);              /* zeroed; overflow of n * size ends the program too */
void *mem_grow(void *old, size_t n, size_t size);    /* realloc to n * size octets; new octets are not zeroed */
void *mem_copy(const void *p, size_t n);             /* n octets and a final NUL that does not count */
char *mem_str(const char *s);                        /* NULL stays NULL */
char *mem_fmt(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
