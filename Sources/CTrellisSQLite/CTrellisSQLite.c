#include "CTrellisSQLite.h"

#include <signal.h>

// For a connection that runs SQL written by somebody else: no writable_schema, no load_extension
// (https://www.sqlite.org/security.html). TRUSTED_SCHEMA stays on: the schema is our own, and its checks and triggers use
// JSON functions, which SQLite 3.40 refuses to run from a schema it may not trust.
int trellis_harden(sqlite3 *database) {
    int code = sqlite3_db_config(database, SQLITE_DBCONFIG_DEFENSIVE, 1, (int *)0);
    if (code == SQLITE_OK) code = sqlite3_db_config(database, SQLITE_DBCONFIG_ENABLE_LOAD_EXTENSION, 0, (int *)0);
    return code;
}

int trellis_bind_text(sqlite3_stmt *statement, int index, const char *bytes, int count) {
    return sqlite3_bind_text(statement, index, bytes, count, SQLITE_TRANSIENT);
}

int trellis_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count) {
    return sqlite3_bind_blob(statement, index, bytes, count, SQLITE_TRANSIENT);
}

// The connection that runs a statement which may be stopped, and what SIGINT did before.
static sqlite3 *volatile stoppable;
static struct sigaction before;

static void stop(int number) {
    (void)number;
    // Only sets a flag of the connection (https://www.sqlite.org/c3ref/interrupt.html), as SQLite's own shell has it.
    if (stoppable) sqlite3_interrupt(stoppable);
    // May be called from a handler (signal-safety(7)).
    sigaction(SIGINT, &before, (struct sigaction *)0);
}

void trellis_stop_on_interrupt(sqlite3 *database) {
    if (!database) {
        if (!stoppable) return;
        sigaction(SIGINT, &before, (struct sigaction *)0);
        stoppable = (sqlite3 *)0;
        return;
    }
    if (sigaction(SIGINT, (struct sigaction *)0, &before) || before.sa_handler == SIG_IGN) return;
    struct sigaction action = {0};
    action.sa_handler = stop;
    sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    stoppable = database;
    if (sigaction(SIGINT, &action, (struct sigaction *)0)) stoppable = (sqlite3 *)0;
}
