#include "dump_state.hpp"

#include <cstdio>

#include "exit_code.hpp"
#include "state/dump.hpp"

namespace vigil::daemon {

int dump_state(const std::string& path) {
    const auto text = state::dump_file(path);
    if (!text) {
        std::fprintf(stderr, "vigild: %s\n", text.error().text().c_str());
        return exit_code::kCannotRead;
    }
    std::printf("%s: ", path.c_str());
    std::fputs(text->c_str(), stdout);
    return exit_code::kDone;
}

}  // namespace vigil::daemon
