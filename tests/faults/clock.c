/* A clock that is wrong, and file systems with coarse times. Preloaded; see test_clocks.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static long shift; /* seconds that the clock is ahead */
static long step;  /* seconds between two times of files; the change time is then the other's, as on FAT */

void clock_shift(long seconds) { shift = seconds; }
void clock_coarse(long seconds) { step = seconds; }

#define REAL(type, name, ...) \
    static type (*real)(__VA_ARGS__); \
    if (!real) real = (type(*)(__VA_ARGS__))dlsym(RTLD_NEXT, name)

int clock_gettime(clockid_t which, struct timespec *now) {
    REAL(int, "clock_gettime", clockid_t, struct timespec *);
    int done = real(which, now);
    if (!done && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) now->tv_sec += shift;
    return done;
}

time_t time(time_t *out) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval *restrict out, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    out->tv_sec = now.tv_sec;
    out->tv_usec = now.tv_nsec / 1000;
    return 0;
}

#define COARSE(facts) \
    if (!done && step && S_ISREG((facts)->st_mode)) { \
        (facts)->st_mtim.tv_sec -= (facts)->st_mtim.tv_sec % step; \
        (facts)->st_mtim.tv_nsec = 0; \
        (facts)->st_ctim = (facts)->st_mtim; \
    } \
    return done

#define STAT_PATH(name, facts_of) \
    int name(const char *path, struct facts_of *facts) { \
        REAL(int, #name, const char *, struct facts_of *); \
        int done = real(path, facts); \
        COARSE(facts); \
    }
#define STAT_OPEN(name, facts_of) \
    int name(int fd, struct facts_of *facts) { \
        REAL(int, #name, int, struct facts_of *); \
        int done = real(fd, facts); \
        COARSE(facts); \
    }
#define STAT_AT(name, facts_of) \
    int name(int at, const char *path, struct facts_of *facts, int flags) { \
        REAL(int, #name, int, const char *, struct facts_of *, int); \
        int done = real(at, path, facts, flags); \
        COARSE(facts); \
    }
STAT_PATH(stat, stat)
STAT_PATH(stat64, stat64)
STAT_PATH(lstat, stat)
STAT_PATH(lstat64, stat64)
STAT_OPEN(fstat, stat)
STAT_OPEN(fstat64, stat64)
STAT_AT(fstatat, stat)
STAT_AT(fstatat64, stat64)
