#include "output/log_path.hpp"

#include <string_view>

namespace vigil::output {

std::string log_path(const std::string& log_dir, const core::TaskSpec& spec, core::OutputStream stream) {
    const core::OutputRule& rule = spec.launch.output;
    std::string path = rule.path.empty() ? log_dir + "/" + spec.name + ".log" : rule.path;
    if (!rule.apart || stream != core::OutputStream::err) return path;
    constexpr std::string_view kEnding = ".log";
    const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
    // A file that is called ".log" has no name before its ending.
    const bool ends = path.ends_with(kEnding) && path.size() - name > kEnding.size();
    path.insert(ends ? path.size() - kEnding.size() : path.size(), ".err");
    return path;
}

}  // namespace vigil::output
