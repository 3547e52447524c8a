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

#endif
