#include <malloc.h>

#include "ctl/command_line.hpp"
#include "ctl/terminal.hpp"

int main(int argc, char** argv) {
#if defined(__GLIBC__)
    // It does not live long: a large block that is freed is of use for the next one, while pages that the
    // kernel gets back are cleared once more. Half of the time of showing thousands of tasks went there.
    (void)::mallopt(M_MMAP_THRESHOLD, 1 << 30);
    (void)::mallopt(M_TRIM_THRESHOLD, 1 << 30);
    (void)::mallopt(M_TOP_PAD, 1 << 20);
#endif
    const vigil::ctl::Terminal terminal;
    return vigil::ctl::run(argc, argv, terminal);
}
