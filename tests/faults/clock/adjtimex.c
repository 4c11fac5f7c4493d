/* Preloaded: the kernel calls the clock synchronised as soon as a file exists. The name of the file is in SYNCED_FILE. */
#include <stdlib.h>
#include <unistd.h>

int adjtimex(void *timex)
{
    const char *file = getenv("SYNCED_FILE");
    (void)timex;
    return file != NULL && access(file, F_OK) == 0 ? 0 : 5; /* TIME_OK, TIME_ERROR */
}
