#ifndef C_TRELLIS_PROCESS_H
#define C_TRELLIS_PROCESS_H

#include <sys/types.h>

// Makes a pipe whose ends no other program inherits. Gives an errno.
int trellis_pipe(int *reading, int *writing);

// Starts a program that inherits two descriptors as its standard input and output, and nothing else: no other
// descriptor, no environment, no blocked or ignored signal. What it says on its standard error is lost. Gives an errno.
int trellis_spawn(const char *path, char *const arguments[], int input, int output, pid_t *process);

// Limits this process for good: bytes of memory beyond what it has, seconds of CPU, bytes of a file it writes; it ends
// after a time, steps back behind every other process and leaves no core. Gives an errno.
int trellis_confine(unsigned long memory, unsigned long cpu_seconds, unsigned long file_bytes, unsigned milliseconds);

// Ends this process with a sentence and a code, once a time has passed that nobody took back, and then a whole second
// in which nobody held it: for a call that nothing interrupts. It must leave nothing half done. What was not written
// out is lost.
//
// With arguments this program begins anew with them in place of ending, in the same process and on the same terminal.
// A sentence is cut after 1000 bytes. SIGALRM and the timer of alarm(2) are used for it. Gives an errno.
int trellis_end_after(unsigned milliseconds, const char *sentence, int code, char *const arguments[]);

// Takes it back.
void trellis_end_never(void);

// While it is held, with 1, the process does not end; let go, with 0, it may again, a second later at the earliest and
// two at the latest. It asks nothing of the system.
void trellis_hold_end(int holds);

#endif
