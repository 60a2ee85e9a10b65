/* A program of another project: prints how often it should beat. */
#include <inttypes.h>
#include <stdio.h>
#include <vigil.h>

int main(void) {
    vigil_handle* vigil;
    if (vigil_open(&vigil) < 0) return 1;
    printf("%" PRIu64 "\n", vigil_interval(vigil));
    vigil_close(vigil);
    return 0;
}
