#define _GNU_SOURCE
#include "CTrellisProcess.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

int trellis_pipe(int *reading, int *writing) {
    int ends[2];
    if (pipe2(ends, O_CLOEXEC)) return errno;
    *reading = ends[0];
    *writing = ends[1];
    return 0;
}

int trellis_spawn(const char *path, char *const arguments[], int input, int output, pid_t *process) {
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attributes;
    char *const environment[] = {(char *)0};
    sigset_t none, all;
    int code = posix_spawn_file_actions_init(&files);
    if (code) return code;
    code = posix_spawnattr_init(&attributes);
    if (code) {
        posix_spawn_file_actions_destroy(&files);
        return code;
    }
    sigemptyset(&none);
    sigfillset(&all);
    // The descriptors are above 2: the caller sees to it. A signal to the terminal's group is none of the child's.
    if (!code) code = posix_spawn_file_actions_adddup2(&files, input, 0);
    if (!code) code = posix_spawn_file_actions_adddup2(&files, output, 1);
    if (!code) code = posix_spawn_file_actions_addopen(&files, 2, "/dev/null", O_WRONLY, 0);
    if (!code) code = posix_spawn_file_actions_addclosefrom_np(&files, 3);
    if (!code) code = posix_spawnattr_setsigmask(&attributes, &none);
    if (!code) code = posix_spawnattr_setsigdefault(&attributes, &all);
    if (!code) code = posix_spawnattr_setpgroup(&attributes, 0);
    if (!code)
        code = posix_spawnattr_setflags(
            &attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    if (!code) code = posix_spawn(process, path, &files, &attributes, arguments, environment);
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&files);
    return code;
}

static int limit(int resource, unsigned long most) {
    struct rlimit limit = {most, most};
    return setrlimit(resource, &limit) ? errno : 0;
}

int trellis_confine(unsigned long memory, unsigned long cpu_seconds, unsigned long file_bytes, unsigned milliseconds) {
    unsigned long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file) return errno;
    int read = fscanf(file, "%lu", &pages);
    fclose(file);
    if (read != 1) return EIO;
    int code = limit(RLIMIT_AS, pages * (unsigned long)sysconf(_SC_PAGESIZE) + memory);
    if (!code) code = limit(RLIMIT_CPU, cpu_seconds);
    if (!code) code = limit(RLIMIT_FSIZE, file_bytes);
    if (!code) code = limit(RLIMIT_CORE, 0);
    if (!code) code = limit(RLIMIT_NOFILE, 32);
    if (!code && setpriority(PRIO_PROCESS, 0, 19)) code = errno;
    if (!code && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) code = errno;
    // Should the one who started it be gone, SIGALRM ends it.
    struct itimerval timer = {{0, 0}, {milliseconds / 1000, (milliseconds % 1000) * 1000L}};
    if (!code && setitimer(ITIMER_REAL, &timer, (struct itimerval *)0)) code = errno;
    return code;
}

static volatile sig_atomic_t is_ending, is_held, is_moving;
static char last_words[1001];
static int last_code;
static char *const *renewal;

// Calls what a handler may call, and nothing else (signal-safety(7)).
static void end(int number) {
    (void)number;
    if (!is_ending || is_held) return;
    if (is_moving) {
        is_moving = 0;
        return;
    }
    // A timer lives on in the program that begins, where nobody handles it.
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, (struct itimerval *)0);
    ssize_t written = write(2, last_words, strlen(last_words));
    (void)written;
    if (renewal) execve("/proc/self/exe", renewal, environ);
    _exit(last_code);
}

int trellis_end_after(unsigned milliseconds, const char *sentence, int code, char *const arguments[]) {
    snprintf(last_words, sizeof last_words, "%s", sentence);
    last_code = code;
    renewal = arguments;
    is_held = 0;
    // The first signal only begins the second.
    is_moving = 1;
    struct sigaction action = {0};
    action.sa_handler = end;
    sigemptyset(&action.sa_mask);
    // Signals that are blocked stay so in the program that begins.
    action.sa_flags = SA_RESTART | SA_NODEFER;
    if (sigaction(SIGALRM, &action, (struct sigaction *)0)) return errno;
    sigset_t alarm;
    sigemptyset(&alarm);
    sigaddset(&alarm, SIGALRM);
    if (sigprocmask(SIG_UNBLOCK, &alarm, (sigset_t *)0)) return errno;
    is_ending = 1;
    // None at all would be no timer.
    if (!milliseconds) milliseconds = 1;
    // Again each second: it may be held, or have been, when the time is up.
    struct itimerval timer = {{1, 0}, {milliseconds / 1000, (milliseconds % 1000) * 1000L}};
    return setitimer(ITIMER_REAL, &timer, (struct itimerval *)0) ? errno : 0;
}

void trellis_end_never(void) {
    is_ending = 0;
    struct itimerval none = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &none, (struct itimerval *)0);
}

void trellis_hold_end(int holds) {
    // First, so that no signal finds it neither held nor moving.
    is_moving = 1;
    is_held = holds;
}
