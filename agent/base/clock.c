#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

enum { MS = 1000, LONGEST_DAYS = 36525 };

/* How far the test build shifts the wall clock: DCVAGENT_CLOCK=+40d or -3h. */
static int64_t shift(void)
{
    int64_t by = 0;
#ifdef DCV_FAULTS
    const char *text = getenv("DCVAGENT_CLOCK");
    if (text && (*text == '+' || *text == '-') && duration_parse(text + 1, &by) && *text == '-')
        by = -by;
#endif
    return by;
}

static int64_t milliseconds(clockid_t id)
{
    struct timespec t = {0};
    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * MS + t.tv_nsec / 1000000;
}

int64_t clock_now_ms(void)
{
    return milliseconds(CLOCK_REALTIME) + shift() * MS;
}

int64_t clock_now(void)
{
    return clock_now_ms() / MS;
}

int64_t clock_monotonic(void)
{
    return milliseconds(CLOCK_MONOTONIC);
}

bool duration_parse(const char *text, int64_t *seconds)
{
    static const struct {
        char letter;
        int64_t s;
    } units[] = {{'s', 1}, {'m', MINUTE}, {'h', HOUR}, {'d', DAY}, {'w', 7 * DAY}};
    const int64_t longest = (int64_t)LONGEST_DAYS * DAY;

    int64_t n = 0;
    const char *p = text;
    for (; isdigit((unsigned char)*p); p++) {
        n = n * 10 + (*p - '0');
        if (n > longest)
            return false;
    }
    if (p == text || !*p || p[1])
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
        if (units[i].letter != *p || n > longest / units[i].s)
            continue;
        *seconds = n * units[i].s;
        return true;
    }
    return false;
}

void duration_show(int64_t seconds, char out[32])
{
    const char *sign = seconds < 0 ? "-" : "";
    uint64_t s = seconds < 0 ? -(uint64_t)seconds : (uint64_t)seconds;
    unsigned long long big = s / DAY, hours = s / HOUR, minutes = s / MINUTE, rest = s % MINUTE;

    if (s < MINUTE)
        snprintf(out, 32, "%s%llu s", sign, rest);
    else if (s < HOUR && s < 10 * MINUTE && rest)
        snprintf(out, 32, "%s%llu min %llu s", sign, minutes, rest);
    else if (s < HOUR)
        snprintf(out, 32, "%s%llu min", sign, minutes);
    else if (s < 2 * DAY && minutes % 60)
        snprintf(out, 32, "%s%llu h %llu min", sign, hours, minutes % 60);
    else if (s < 2 * DAY)
        snprintf(out, 32, "%s%llu h", sign, hours);
    else
        snprintf(out, 32, "%s%llu days", sign, big);
}

/* Exactly `width` digits at *p; moves on behind them. */
static bool digits(const char **p, int width, int *out)
{
    *out = 0;
    for (int i = 0; i < width; i++, (*p)++) {
        if (!isdigit((unsigned char)**p))
            return false;
        *out = *out * 10 + (**p - '0');
    }
    return true;
}

static bool date_part(const char **p, int64_t *when)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year, month, day;
    if (!digits(p, 4, &year) || *(*p)++ != '-' || !digits(p, 2, &month) || *(*p)++ != '-' || !digits(p, 2, &day))
        return false;
    if (year < 1970 || month < 1 || month > 12 || day < 1)
        return false;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (day > lengths[month - 1] + (month == 2 && leap))
        return false;
    struct tm tm = {.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
    *when = timegm(&tm);
    return true;
}

bool date_parse(const char *text, int64_t *when)
{
    int64_t day;
    if (!date_part(&text, &day) || *text)
        return false;
    *when = day;
    return true;
}

/* Z, or +08:00. */
static bool zone_part(const char **p, int64_t *offset)
{
    *offset = 0;
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        return true;
    }
    int sign = **p == '-' ? -1 : 1, hours, minutes;
    if (**p != '+' && **p != '-')
        return false;
    (*p)++;
    if (!digits(p, 2, &hours) || *(*p)++ != ':' || !digits(p, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *offset = sign * (hours * HOUR + minutes * MINUTE);
    return true;
}

bool time_parse(const char *text, int64_t *when)
{
    int64_t day, offset;
    int hour, minute, second;
    if (!date_part(&text, &day))
        return false;
    if (!*text) {
        *when = day;
        return true;
    }
    if (!strchr("Tt ", *text++))
        return false;
    if (!digits(&text, 2, &hour) || *text++ != ':' || !digits(&text, 2, &minute) || *text++ != ':' || !digits(&text, 2, &second))
        return false;
    if (hour > 23 || minute > 59 || second > 60) /* 60: a leap second */
        return false;
    if (*text == '.') {
        if (!isdigit((unsigned char)*++text))
            return false;
        while (isdigit((unsigned char)*text))
            text++;
    }
    if (!zone_part(&text, &offset) || *text)
        return false;
    *when = day + hour * HOUR + minute * MINUTE + second - offset;
    return true;
}

/* Into its parts; false where the year does not fit, which only a damaged file can bring. */
static bool broken_down(int64_t when, bool local, struct tm *tm)
{
    time_t t = (time_t)when;
    return (local ? localtime_r(&t, tm) : gmtime_r(&t, tm)) != NULL;
}

void time_show(int64_t when, char out[32])
{
    struct tm tm;
    if (!broken_down(when, false, &tm) || !strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm))
        snprintf(out, 32, "@%lld", (long long)when);
}

void day_show(int64_t when, char out[32])
{
    struct tm tm;
    if (!broken_down(when, false, &tm) || !strftime(out, 32, "%Y-%m-%d", &tm))
        snprintf(out, 32, "@%lld", (long long)when);
}

void time_local(int64_t when, char out[32])
{
    struct tm tm;
    if (!broken_down(when, true, &tm) || !strftime(out, 32, "%Y-%m-%d %H:%M", &tm))
        snprintf(out, 32, "@%lld", (long long)when);
}
