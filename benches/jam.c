/* The benchmark's process: a logging library writes to a full pipe while it holds its mutex, and everybody
 * else wants to log. usage: jam THREADS. Each waiter has 13 frames. Prints "ready" when all stand. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

static pthread_mutex_t g_log_mutex = PTHREAD_MUTEX_INITIALIZER;
static int g_sink;
static volatile long g_count;

NOINLINE static long log_sink_write(const char *line, size_t n) { return write(g_sink, line, n) + 1; }

NOINLINE static long log_message(int level, const char *text, long account)
{
    char line[128];
    pthread_mutex_lock(&g_log_mutex);
    int n = snprintf(line, sizeof line, "<%d> %s account=%ld\n", level, text, account);
    long wrote = log_sink_write(line, (size_t)n);
    pthread_mutex_unlock(&g_log_mutex);
    return wrote + g_count;
}

NOINLINE static long log_info(const char *text, long account) { return log_message(6, text, account) + g_count; }
NOINLINE static long audit(long account, long amount) { return log_info("balance changed", account) + amount + g_count; }
NOINLINE static long update_account(long account, long amount) { return audit(account, amount * 2) + g_count; }
NOINLINE static long run_transaction(long account, long amount) { return update_account(account, amount) + g_count; }
NOINLINE static long dispatch(long account) { return run_transaction(account, account % 97) + g_count; }
NOINLINE static long handle_request(long account) { return dispatch(account + 1000) + g_count; }
NOINLINE static void *serve_connection(void *arg)
{
    long n = (long)arg;
    while (g_count >= 0) g_count += handle_request(n++);
    return NULL;
}

NOINLINE static void *worker_main(void *arg)
{
    void *result = serve_connection(arg);
    g_count++;
    return result;
}

int main(int argc, char **argv)
{
    long threads = argc > 1 ? atol(argv[1]) : 1000;
    int fd[2];
    static const char zeros[4096];
    if (pipe(fd) != 0) return 1;
    fcntl(fd[1], F_SETFL, O_NONBLOCK);
    while (write(fd[1], zeros, sizeof zeros) > 0) continue;
    fcntl(fd[1], F_SETFL, 0);
    g_sink = fd[1];
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setstacksize(&attr, 32768);
    for (long i = 1; i < threads; i++) {
        pthread_t t;
        int error = pthread_create(&t, &attr, worker_main, (void *)i);
        if (error != 0) {
            fprintf(stderr, "thread %ld: %s\n", i, strerror(error));
            return 1;
        }
        if (i == 1) usleep(100000);
    }
    usleep(1500000);
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}
