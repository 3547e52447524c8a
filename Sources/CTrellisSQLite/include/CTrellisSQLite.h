#ifndef C_TRELLIS_SQLITE_H
#define C_TRELLIS_SQLITE_H

#include <sqlite3.h>

// sqlite3_db_config is variadic, which Swift cannot call.
int trellis_harden(sqlite3 *database);

// SQLITE_TRANSIENT is a cast of -1 to a function pointer, which Swift cannot see.
int trellis_bind_text(sqlite3_stmt *statement, int index, const char *bytes, int count);
int trellis_bind_blob(sqlite3_stmt *statement, int index, const void *bytes, int count);

// From here on the first SIGINT interrupts what the connection runs, and the next ones do again what they did before,
// which ends the program unless somebody else handles them. Where SIGINT was ignored it stays so. Without a connection,
// SIGINT does again what it did before. One connection of a process at a time.
void trellis_stop_on_interrupt(sqlite3 *database);

#endif
