// Sends forms as fast as they are answered: each connection sends the next once it has the answer to the last.
//
// usage: form-load PORT MAGNET TOKEN PREFIX [-c CONNECTIONS] [-n FORMS | -d SECONDS]
//
// SIGTERM ends it early: the forms under way are waited for. TOKEN is the field _form of an embedded form,
// which may be sent many times. The addresses are PREFIX-1@load.example and so on, each sent once. Prints a line of
// name=value; only forms answered 303 count and have a latency.
//
// Linux only (epoll). One thread, so that it takes little of the machine it measures.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { bufferMax = 64 * 1024, connectionsMax = 1024, silenceMax = 60 * 1000 };

typedef struct {
    int descriptor;
    bool isWaiting;
    int64_t sentAt;
    size_t length;
    char buffer[bufferMax + 1];
} Connection;

static const char *magnet, *token, *prefix;
static int port, connectionCount = 16, poller;
static long formsMax = 20000, sent;
static double secondsMax;
static int64_t startedAt, endedAt, slowestAt;
static volatile sig_atomic_t isStopped;
static Connection connections[connectionsMax];

// Microseconds of each form that was taken in.
static uint32_t *latencies;
static size_t taken, room;

static long statuses[600], closed, silent;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "form-load: %s: %s\n", what, why);
    exit(2);
}

static int64_t microseconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void note(uint32_t latency) {
    if (taken == room) {
        room = room ? 2 * room : 1 << 16;
        latencies = realloc(latencies, room * sizeof *latencies);
        if (!latencies) fail("memory", "none left");
    }
    latencies[taken++] = latency;
}

// MARK: - Connections

static void connectTo(Connection *connection) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int yes = 1;
    connection->descriptor = socket(AF_INET, SOCK_STREAM, 0);
    connection->length = 0;
    connection->isWaiting = false;
    if (connect(connection->descriptor, (struct sockaddr *)&address, sizeof address)) fail("connect", strerror(errno));
    setsockopt(connection->descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    fcntl(connection->descriptor, F_SETFL, O_NONBLOCK);
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->descriptor, &event)) fail("epoll", strerror(errno));
}

static void stop(int signal) {
    (void)signal;
    isStopped = 1;
}

static bool isEnough(void) {
    if (isStopped) return true;
    return secondsMax > 0 ? microseconds() - startedAt >= secondsMax * 1e6 : sent >= formsMax;
}

// Sends the next form, or none where it is enough. The name and the company are not plain ASCII, so that the server
// has something to decode.
static void sendNext(Connection *connection) {
    char body[4096], request[8192];
    if (isEnough()) return;
    int length = snprintf(body, sizeof body,
                          "_form=%s&email=%s-%ld%%40load.example&first_name=Zo%%C3%%AB&company=Acme+%%26+Co."
                          "&consent_newsletter=on&reply_by_pigeon=", token, prefix, ++sent);
    int total = snprintf(request, sizeof request,
                         "POST /forms/%s HTTP/1.1\r\nHost: localhost:%d\r\nUser-Agent: Mozilla/5.0 (form-load)\r\n"
                         "Accept: text/html\r\nReferer: https://load.example/plan\r\n"
                         "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s",
                         magnet, port, length, body);
    if (length >= (int)sizeof body || total >= (int)sizeof request) fail("token", "is too long");
    connection->isWaiting = true;
    connection->sentAt = microseconds();
    // A form is far smaller than the empty buffer of a socket: it goes whole or the connection is broken. That it is
    // shows when the answer is read.
    (void)!send(connection->descriptor, request, (size_t)total, MSG_NOSIGNAL);
}

// A form without an answer may or may not have been taken in: it counts as an error.
static void renew(Connection *connection) {
    close(connection->descriptor);
    if (connection->isWaiting) closed++;
    connection->isWaiting = false;
    if (isEnough()) {
        connection->descriptor = -1;
        return;
    }
    connectTo(connection);
    sendNext(connection);
}

// Whether the answer is all there, by its length or its last chunk (RFC 9112, 6).
static bool isWhole(const char *buffer, size_t length) {
    const char *end = strstr(buffer, "\r\n\r\n");
    if (!end) return false;
    size_t headLength = (size_t)(end + 4 - buffer);
    const char *said = strcasestr(buffer, "\r\ncontent-length:");
    if (said && said < end) return length >= headLength + strtoul(said + 17, NULL, 10);
    const char *coding = strcasestr(buffer, "\r\ntransfer-encoding: chunked");
    return !coding || coding > end || (length >= headLength + 5 && !memcmp(buffer + length - 5, "0\r\n\r\n", 5));
}

static void hear(Connection *connection) {
    size_t space = bufferMax - connection->length;
    ssize_t count = recv(connection->descriptor, connection->buffer + connection->length, space, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) {
        renew(connection);
        return;
    }
    connection->length += (size_t)count;
    connection->buffer[connection->length] = 0;
    if (!isWhole(connection->buffer, connection->length)) {
        if (connection->length == bufferMax) fail("answer", "is too long");
        return;
    }
    int64_t now = microseconds();
    int status = connection->length > 12 ? atoi(connection->buffer + 9) : 0;
    statuses[status >= 0 && status < 600 ? status : 0]++;
    if (status == 303) {
        static uint32_t slowest;
        uint32_t latency = (uint32_t)(now - connection->sentAt);
        note(latency);
        if (latency > slowest) {
            slowest = latency;
            slowestAt = now;
        }
    }
    endedAt = now;
    connection->isWaiting = false;
    connection->length = 0;
    sendNext(connection);
}

static bool isAnyWaiting(void) {
    for (int i = 0; i < connectionCount; i++) {
        if (connections[i].isWaiting) return true;
    }
    return false;
}

// MARK: - The result

static int compare(const void *one, const void *other) {
    uint32_t a = *(const uint32_t *)one, b = *(const uint32_t *)other;
    return (a > b) - (a < b);
}

// The nearest rank: so many per mille were at most this slow.
static double milliseconds(int perMille) {
    if (!taken) return 0;
    size_t rank = (taken * (size_t)perMille + 999) / 1000;
    return latencies[rank ? rank - 1 : 0] / 1e3;
}

static void printErrors(void) {
    const char *comma = "";
    for (int status = 0; status < 600; status++) {
        if (!statuses[status] || status == 303) continue;
        printf("%s%d:%ld", comma, status, statuses[status]);
        comma = ",";
    }
    if (closed) {
        printf("%sclosed:%ld", comma, closed);
        comma = ",";
    }
    if (silent) {
        printf("%ssilent:%ld", comma, silent);
        comma = ",";
    }
    puts(*comma ? "" : "none");
}

static void printResult(void) {
    double seconds = (endedAt - startedAt) / 1e6;
    qsort(latencies, taken, sizeof *latencies, compare);
    printf("sent=%ld taken=%zu seconds=%.3f per_second=%.1f p50=%.2f p90=%.2f p99=%.2f max=%.2f max_at=%.1f errors=",
           sent, taken, seconds, seconds > 0 ? taken / seconds : 0, milliseconds(500), milliseconds(900),
           milliseconds(990), milliseconds(1000), taken ? (slowestAt - startedAt) / 1e6 : 0);
    printErrors();
}

static void readOptions(int count, char **arguments) {
    if (count < 5) fail("usage", "form-load PORT MAGNET TOKEN PREFIX [-c CONNECTIONS] [-n FORMS | -d SECONDS]");
    port = atoi(arguments[1]);
    magnet = arguments[2];
    token = arguments[3];
    prefix = arguments[4];
    // The places of the four come first, so that getopt sees the options alone.
    int option;
    while ((option = getopt(count - 4, arguments + 4, "c:n:d:")) != -1) {
        if (option == 'c') connectionCount = atoi(optarg);
        else if (option == 'n') formsMax = atol(optarg);
        else if (option == 'd') secondsMax = atof(optarg);
        else exit(2);
    }
    if (connectionCount < 1 || connectionCount > connectionsMax) fail("-c", "1 to 1024");
}

int main(int count, char **arguments) {
    readOptions(count, arguments);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    poller = epoll_create1(0);
    for (int i = 0; i < connectionCount; i++) connectTo(&connections[i]);
    startedAt = endedAt = microseconds();
    for (int i = 0; i < connectionCount; i++) sendNext(&connections[i]);
    while (isAnyWaiting()) {
        struct epoll_event readies[64];
        int ready = epoll_wait(poller, readies, 64, silenceMax);
        if (ready == 0) {
            for (int i = 0; i < connectionCount; i++) silent += connections[i].isWaiting;
            break;
        }
        for (int i = 0; i < ready; i++) hear(readies[i].data.ptr);
    }
    printResult();
    return 0;
}
