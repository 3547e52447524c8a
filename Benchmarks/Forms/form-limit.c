// The limit of durable forms: a bare HTTP/1.1 server that writes, by prepared statements, the rows Trellis writes in
// the transaction of a form, and answers 303 only after a commit that a power cut leaves standing.
//
// usage: form-limit FILE PORT MAGNET CONSENT [--single]
//
// FILE is one that Trellis made: its tables, CHECKs and indexes are the same. Its triggers are dropped, because the
// events are written here. There are no pages, no tokens to open, no limits and no plugins: what a form costs at least.
//
// Two threads. The reader collects requests; the writer commits all that wait, answers them, and meanwhile the next
// gather: so many share one wait for the disk. With --single each request has a commit of its own.
//
// SIGTERM ends it; it then prints how many commits there were. Linux only (epoll). Without pipelining: a connection is
// heard again once it was answered.

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { requestMax = 16 * 1024, readiesMax = 64, digestLength = 64 };

// What was sent. All point into the buffer of their connection; NULL for what was empty or not there.
typedef struct {
    const char *token, *email, *firstName, *company, *page, *agent;
    bool consents;
} Form;

typedef struct Connection {
    int descriptor;
    char network[INET_ADDRSTRLEN + 4]; // 192.0.2.0/24
    size_t length;
    char buffer[requestMax + 1];
    Form form;
    struct Connection *next;
} Connection;

// The requests that wait for the writer, oldest first.
static struct {
    pthread_mutex_t lock;
    pthread_cond_t isThere;
    Connection *first, **end;
    bool isClosed;
} queue = {.lock = PTHREAD_MUTEX_INITIALIZER, .isThere = PTHREAD_COND_INITIALIZER, .end = &queue.first};

static const char *magnet, *consentText;
static char origin[200], submittedBody[200];
static bool isSingle;
static int poller;
static volatile sig_atomic_t isStopped;

static void fail(const char *what, const char *why) {
    fprintf(stderr, "form-limit: %s: %s\n", what, why);
    exit(1);
}

// MARK: - SHA-256 (FIPS 180-4)

// Trellis keeps digests of the form and of who sent it, so the limit has to make some too.
static const uint32_t roundConstants[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static uint32_t rotated(uint32_t word, int by) { return word >> by | word << (32 - by); }

static void mix(uint32_t state[8], const uint8_t *block) {
    uint32_t words[64], s[8];
    for (int i = 0; i < 16; i++) {
        words[i] = (uint32_t)block[4 * i] << 24 | (uint32_t)block[4 * i + 1] << 16 | (uint32_t)block[4 * i + 2] << 8
                   | block[4 * i + 3];
    }
    for (int i = 16; i < 64; i++) {
        uint32_t a = words[i - 15], b = words[i - 2];
        words[i] = words[i - 16] + (rotated(a, 7) ^ rotated(a, 18) ^ a >> 3) + words[i - 7]
                   + (rotated(b, 17) ^ rotated(b, 19) ^ b >> 10);
    }
    memcpy(s, state, sizeof s);
    for (int i = 0; i < 64; i++) {
        uint32_t one = s[7] + (rotated(s[4], 6) ^ rotated(s[4], 11) ^ rotated(s[4], 25))
                       + ((s[4] & s[5]) ^ (~s[4] & s[6])) + roundConstants[i] + words[i];
        uint32_t two = (rotated(s[0], 2) ^ rotated(s[0], 13) ^ rotated(s[0], 22))
                       + ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        memmove(s + 1, s, 7 * sizeof *s);
        s[4] += one;
        s[0] = one + two;
    }
    for (int i = 0; i < 8; i++) state[i] += s[i];
}

static void digest(const char *text, char hex[digestLength]) {
    uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                         0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    size_t length = strlen(text), done = 0;
    for (; length - done >= 64; done += 64) mix(state, (const uint8_t *)text + done);
    uint8_t tail[128] = {0};
    size_t rest = length - done, size = rest < 56 ? 64 : 128;
    memcpy(tail, text + done, rest);
    tail[rest] = 0x80;
    for (int i = 0; i < 8; i++) tail[size - 1 - i] = (uint8_t)((uint64_t)length * 8 >> 8 * i);
    for (size_t at = 0; at < size; at += 64) mix(state, tail + at);
    for (int i = 0; i < digestLength; i++) hex[i] = "0123456789abcdef"[state[i / 8] >> (28 - i % 8 * 4) & 15];
}

// MARK: - Reading

static int nibble(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    c |= 32;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

// Decodes a value in place: it only gets shorter.
static void decode(char *text) {
    char *to = text;
    for (const char *from = text; *from; from++) {
        int high, low;
        if (*from == '%' && (high = nibble(from[1])) >= 0 && (low = nibble(from[2])) >= 0) {
            *to++ = (char)(high << 4 | low);
            from += 2;
        } else {
            *to++ = *from == '+' ? ' ' : *from;
        }
    }
    *to = 0;
}

static void readBody(char *body, Form *form) {
    const struct { const char *name; const char **value; } fields[] = {
        {"_form", &form->token}, {"email", &form->email},
        {"first_name", &form->firstName}, {"company", &form->company}};
    char *rest = body, *pair;
    while ((pair = strsep(&rest, "&"))) {
        char *value = strchr(pair, '=');
        if (!value) continue;
        *value++ = 0;
        decode(value);
        if (!*value) continue;
        for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
            if (!strcmp(pair, fields[i].name)) *fields[i].value = value;
        }
        if (!strcmp(pair, "consent_newsletter")) form->consents = true;
    }
    // The domain of an address has no case: Trellis keeps it in lower case.
    char *domain = form->email ? strrchr(form->email, '@') : NULL;
    for (; domain && *domain; domain++) {
        if (*domain >= 'A' && *domain <= 'Z') *domain |= 32;
    }
}

// The headers that become part of the rows.
static void readHead(char *head, Form *form) {
    char *rest = head, *line;
    while ((line = strsep(&rest, "\n"))) {
        char *value = strchr(line, ':');
        if (!value) continue;
        *value++ = 0;
        value += strspn(value, " \t");
        value[strcspn(value, "\r")] = 0;
        if (!strcasecmp(line, "user-agent")) {
            form->agent = value;
        } else if (!strcasecmp(line, "referer")) {
            // Parameters may hold anything: the page is kept without them.
            value[strcspn(value, "?#")] = 0;
            form->page = value;
        }
    }
}

// The length of a request with its body; 0 while its head is not all there.
static size_t wholeLength(const char *buffer) {
    const char *end = strstr(buffer, "\r\n\r\n");
    if (!end) return 0;
    const char *length = strcasestr(buffer, "\r\ncontent-length:");
    return (size_t)(end + 4 - buffer) + (length && length < end ? strtoul(length + 17, NULL, 10) : 0);
}

static void answer(Connection *connection, const char *head) {
    char text[300];
    int length = snprintf(text, sizeof text, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", head);
    // A short answer fits into an empty buffer of the kernel; who has gone needs none.
    if (send(connection->descriptor, text, (size_t)length, MSG_NOSIGNAL) < 0 && errno != EPIPE && errno != ECONNRESET) {
        fail("send", strerror(errno));
    }
}

// Gives a connection back to the reader; who does must not touch it any more.
static void hearAgain(Connection *connection) {
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_MOD, connection->descriptor, &event)) fail("epoll", strerror(errno));
}

static void hangUp(Connection *connection) {
    close(connection->descriptor);
    free(connection);
}

static void enqueue(Connection *connection) {
    pthread_mutex_lock(&queue.lock);
    connection->next = NULL;
    *queue.end = connection;
    queue.end = &connection->next;
    pthread_cond_signal(&queue.isThere);
    pthread_mutex_unlock(&queue.lock);
}

static bool isForm(const char *buffer) {
    size_t length = strlen(magnet);
    return !strncmp(buffer, "POST /forms/", 12) && !strncmp(buffer + 12, magnet, length) && buffer[12 + length] == ' ';
}

// Takes in what came; gives the request to the writer once it is whole.
static void hear(Connection *connection) {
    char *buffer = connection->buffer;
    ssize_t count = recv(connection->descriptor, buffer + connection->length, requestMax - connection->length, 0);
    if (count <= 0) {
        hangUp(connection);
        return;
    }
    connection->length += (size_t)count;
    buffer[connection->length] = 0;
    size_t whole = wholeLength(buffer);
    if (!whole || connection->length < whole) {
        if (connection->length < requestMax && whole <= requestMax) hearAgain(connection);
        else hangUp(connection);
        return;
    }
    connection->length = 0;
    connection->form = (Form){0};
    buffer[whole] = 0;
    bool isOurs = isForm(buffer);
    if (isOurs) {
        char *end = strstr(buffer, "\r\n\r\n");
        *end = 0;
        readHead(buffer, &connection->form);
        readBody(end + 4, &connection->form);
        if (connection->form.token && connection->form.email) {
            enqueue(connection);
            return;
        }
    }
    answer(connection, isOurs ? "422 Unprocessable Content" : "404 Not Found");
    hearAgain(connection);
}

// MARK: - Writing

static sqlite3 *database;
static long commits;
static sqlite3_stmt *begin, *commit, *addLead, *addTouch, *addConsent, *addEvent, *addReceipt;

static void check(int code, const char *what) {
    if (code != SQLITE_OK && code != SQLITE_DONE) fail(what, sqlite3_errmsg(database));
}

static sqlite3_stmt *prepared(const char *sql) {
    sqlite3_stmt *statement;
    check(sqlite3_prepare_v3(database, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL), sql);
    return statement;
}

static int run(sqlite3_stmt *statement) {
    sqlite3_step(statement);
    return sqlite3_reset(statement);
}

// NULL is bound as NULL.
static void bindText(sqlite3_stmt *statement, int index, const char *text) {
    sqlite3_bind_text(statement, index, text, -1, SQLITE_STATIC);
}

static void dropTriggers(void) {
    sqlite3_stmt *names = prepared("SELECT group_concat('DROP TRIGGER \"' || name || '\"', ';') FROM sqlite_schema"
                                   " WHERE type = 'trigger'");
    sqlite3_step(names);
    const char *drops = (const char *)sqlite3_column_text(names, 0);
    char *sql = drops ? strdup(drops) : NULL;
    sqlite3_finalize(names);
    if (sql) check(sqlite3_exec(database, sql, NULL, NULL, NULL), "drop triggers");
    free(sql);
}

static void openDatabase(const char *path) {
    check(sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL), path);
    // The settings of `trellis serve`.
    check(sqlite3_exec(database,
                       "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                       "PRAGMA cache_size = -131072; PRAGMA wal_autocheckpoint = 8192;"
                       "PRAGMA journal_size_limit = 67108864; PRAGMA temp_store = MEMORY",
                       NULL, NULL, NULL), "pragmas");
    dropTriggers();
    begin = prepared("BEGIN IMMEDIATE");
    commit = prepared("COMMIT");
    addLead = prepared("INSERT INTO leads (email, first_name, company, stage, created_at, updated_at)"
                       " VALUES (?1, ?2, ?3, 'lead', ?4, ?4)");
    addTouch = prepared("INSERT INTO touches (lead_id, at, kind, channel, landing_page)"
                        " VALUES (?1, ?2, 'form', 'direct', ?3)");
    addConsent = prepared("INSERT INTO consents (lead_id, purpose, state, text, source, at, page, network, agent)"
                          " VALUES (?1, 'newsletter', 'granted', ?2, ?3, ?4, ?5, ?6, ?7)");
    addEvent = prepared("INSERT INTO events (kind, lead_id, origin, at, body) VALUES (?1, ?2, ?3, ?4, ?5)");
    addReceipt = prepared("INSERT INTO magnets_receipts (receipt, token, lead_id, at) VALUES (?1, ?2, ?3, ?4)");
    bindText(addConsent, 2, consentText);
    bindText(addConsent, 3, origin);
    bindText(addEvent, 3, origin);
}

static void logEvent(const char *kind, const char *body) {
    bindText(addEvent, 1, kind);
    bindText(addEvent, 5, body);
    check(run(addEvent), kind);
}

static void writeReceipt(const Form *form, sqlite3_int64 lead, const char *stamp) {
    char person[2 * requestMax], receipt[digestLength], token[digestLength];
    char *end = stpcpy(stpcpy(stpcpy(person, form->token), " "), form->email);
    for (char *at = end - strlen(form->email); at < end; at++) {
        if (*at >= 'A' && *at <= 'Z') *at |= 32;
    }
    digest(form->token, token);
    digest(person, receipt);
    sqlite3_bind_text(addReceipt, 1, receipt, digestLength, SQLITE_STATIC);
    sqlite3_bind_text(addReceipt, 2, token, digestLength, SQLITE_STATIC);
    sqlite3_bind_int64(addReceipt, 3, lead);
    bindText(addReceipt, 4, stamp);
    check(run(addReceipt), "receipt");
}

// Returns false for an address that is known or none. That is the first statement and the only one that may refuse,
// and SQLite undoes it by itself: so no form needs a savepoint.
static bool writeForm(const Connection *connection, const char *stamp) {
    const Form *form = &connection->form;
    bindText(addLead, 1, form->email);
    bindText(addLead, 2, form->firstName);
    bindText(addLead, 3, form->company);
    bindText(addLead, 4, stamp);
    int code = run(addLead);
    if (code == SQLITE_CONSTRAINT) return false;
    check(code, "lead");
    sqlite3_int64 lead = sqlite3_last_insert_rowid(database);
    sqlite3_bind_int64(addEvent, 2, lead);
    bindText(addEvent, 4, stamp);
    logEvent("lead.created", "{\"stage\":\"lead\"}");
    sqlite3_bind_int64(addTouch, 1, lead);
    bindText(addTouch, 2, stamp);
    bindText(addTouch, 3, form->page);
    check(run(addTouch), "touch");
    if (form->consents) {
        sqlite3_bind_int64(addConsent, 1, lead);
        bindText(addConsent, 4, stamp);
        bindText(addConsent, 5, form->page);
        bindText(addConsent, 6, connection->network);
        bindText(addConsent, 7, form->agent);
        check(run(addConsent), "consent");
        logEvent("consent.granted", "{\"purpose\":\"newsletter\"}");
    }
    logEvent("form.submitted", submittedBody);
    writeReceipt(form, lead, stamp);
    return true;
}

static void readClock(char stamp[32]) {
    struct timespec now;
    struct tm parts;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t length = strftime(stamp, 32, "%Y-%m-%d %H:%M:%S", &parts);
    snprintf(stamp + length, 32 - length, ".%03ld", now.tv_nsec / 1000000);
}

// Those who wait: all of them, or with --single the first. NULL once there will be no more.
static Connection *next(void) {
    pthread_mutex_lock(&queue.lock);
    while (!queue.first && !queue.isClosed) pthread_cond_wait(&queue.isThere, &queue.lock);
    Connection *taken = queue.first;
    if (taken && isSingle) {
        queue.first = taken->next;
        taken->next = NULL;
    } else {
        queue.first = NULL;
    }
    if (!queue.first) queue.end = &queue.first;
    pthread_mutex_unlock(&queue.lock);
    return taken;
}

static void *writeForms(void *unused) {
    Connection *taken;
    while ((taken = next())) {
        char stamp[32];
        readClock(stamp);
        check(run(begin), "begin");
        for (Connection *one = taken; one; one = one->next) {
            // Who is refused shows it by a form without an address.
            if (!writeForm(one, stamp)) one->form.email = NULL;
        }
        check(run(commit), "commit");
        commits++;
        char thanks[200];
        snprintf(thanks, sizeof thanks, "303 See Other\r\nLocation: /thanks/%s", magnet);
        for (Connection *one = taken, *after; one; one = after) {
            after = one->next;
            answer(one, one->form.email ? thanks : "409 Conflict");
            hearAgain(one);
        }
    }
    return unused;
}

// MARK: - Serving

static void stop(int signal) {
    (void)signal;
    isStopped = 1;
}

static int listenOn(const char *port) {
    int listener = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) fail("bind", strerror(errno));
    if (listen(listener, 1024)) fail("listen", strerror(errno));
    return listener;
}

static void takeConnection(int listener) {
    struct sockaddr_in peer;
    socklen_t length = sizeof peer;
    int descriptor = accept(listener, (struct sockaddr *)&peer, &length), yes = 1;
    if (descriptor < 0) return;
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    Connection *connection = calloc(1, sizeof *connection);
    if (!connection) fail("memory", "none left");
    connection->descriptor = descriptor;
    struct in_addr network = {.s_addr = peer.sin_addr.s_addr & htonl(0xFFFFFF00)};
    inet_ntop(AF_INET, &network, connection->network, INET_ADDRSTRLEN);
    strcat(connection->network, "/24");
    struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.ptr = connection};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, descriptor, &event)) fail("epoll", strerror(errno));
}

// Hears all connections until a signal. Signals come to this thread alone, and only while it waits: the writer is never
// disturbed in a commit.
static void serve(int listener) {
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, listener, &event)) fail("epoll", strerror(errno));
    sigset_t none;
    sigemptyset(&none);
    while (!isStopped) {
        struct epoll_event readies[readiesMax];
        int ready = epoll_pwait(poller, readies, readiesMax, -1, &none);
        for (int i = 0; i < ready; i++) {
            if (readies[i].data.ptr) hear(readies[i].data.ptr);
            else takeConnection(listener);
        }
    }
}

static void catchSignals(void) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);
    struct sigaction action = {.sa_handler = stop};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
}

int main(int count, char **arguments) {
    if (count < 5) fail("usage", "form-limit FILE PORT MAGNET CONSENT [--single]");
    magnet = arguments[3];
    consentText = arguments[4];
    isSingle = count > 5 && !strcmp(arguments[5], "--single");
    snprintf(origin, sizeof origin, "form:%s", magnet);
    snprintf(submittedBody, sizeof submittedBody, "{\"channel\":\"direct\",\"form\":\"%s\"}", magnet);
    openDatabase(arguments[1]);
    catchSignals();
    pthread_t writer;
    if (pthread_create(&writer, NULL, writeForms, NULL)) fail("thread", "cannot be made");
    poller = epoll_create1(0);
    serve(listenOn(arguments[2]));

    pthread_mutex_lock(&queue.lock);
    queue.isClosed = true;
    pthread_cond_signal(&queue.isThere);
    pthread_mutex_unlock(&queue.lock);
    pthread_join(writer, NULL);
    printf("commits=%ld\n", commits);
    sqlite3_stmt *statements[] = {begin, commit, addLead, addTouch, addConsent, addEvent, addReceipt};
    for (size_t i = 0; i < sizeof statements / sizeof *statements; i++) sqlite3_finalize(statements[i]);
    return sqlite3_close(database) == SQLITE_OK ? 0 : 1;
}
