/*
 * yard_surroundings.c: files that stay open, a file that was never the allocator's, signals.
 */
#include "yard_surroundings.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "yard_defects.h"

static int source; /* of pages; 0 as long as it was not opened */

static void block_signals(void)
{
    sigset_t all;
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, NULL);
}

static void ignore(int signal)
{
    (void)signal;
}

void yard_surroundings_map(void)
{
    switch (yard_defect_in_force()) {
    case DEFECT_file_left_open:
        source = open("/dev/zero", O_RDWR);
        return;
    case DEFECT_closes_file_of_program:
        (void)close(source);
        return;
    case DEFECT_signals_left_blocked:
        block_signals();
        return;
    case DEFECT_handler_left:
        (void)signal(SIGBUS, ignore);
        return;
    default:
        return;
    }
}
