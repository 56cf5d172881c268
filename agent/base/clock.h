/* clock.h: the two clocks, and times as people and configuration write them.
 * Wall clock: seconds since 1970, for calendars and evidence. Monotonic: milliseconds, for deadlines within one run. */
#ifndef DCV_BASE_CLOCK_H
#define DCV_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

enum { MINUTE = 60, HOUR = 3600, DAY = 86400 };

int64_t clock_now(void);       /* wall clock, s (test build: shifted by DCVAGENT_CLOCK) */
int64_t clock_now_ms(void);    /* the same in ms, for log lines */
int64_t clock_monotonic(void); /* ms */

bool duration_parse(const char *text, int64_t *seconds); /* 90s 10m 24h 30d 2w; a number alone is refused; at most 100 years */
void duration_show(int64_t seconds, char out[32]);       /* "45 s", "5 min", "3 h 20 min", "12 days" */
bool date_parse(const char *text, int64_t *when);        /* 2027-05-31 -> 00:00:00 UTC of that day, 1970..9999 */
bool time_parse(const char *text, int64_t *when);        /* RFC 3339, or a date alone */
void time_show(int64_t when, char out[32]);              /* RFC 3339 UTC, 2027-05-31T00:00:00Z */
void day_show(int64_t when, char out[32]);               /* 2027-05-31 (UTC) */
void time_local(int64_t when, char out[32]);             /* for people: local time, "2027-05-31 14:07" */

#endif
