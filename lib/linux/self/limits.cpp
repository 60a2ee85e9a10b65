#include "linux/self/limits.hpp"

namespace vigil::os {

Result<OpenFileLimit> raise_open_file_limit() {
    OpenFileLimit limit;
    if (::getrlimit(RLIMIT_NOFILE, &limit.at_start) != 0)
        return Failure{errno_error("reading the limit on open files")};
    limit.now = limit.at_start;
    limit.now.rlim_cur = limit.now.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &limit.now) != 0) limit.now = limit.at_start;
    return limit;
}

}  // namespace vigil::os
