#include "core/log_path.hpp"

#include <string_view>

namespace vigil::core {

std::string log_path(const std::string& log_dir, const TaskSpec& spec, OutputStream stream) {
    const OutputRule& rule = spec.launch->output;
    std::string path = rule.path.empty() ? log_dir + "/" + spec.name + ".log" : rule.path;
    if (!rule.apart || stream != OutputStream::err) return path;
    constexpr std::string_view kEnding = ".log";
    const std::size_t name = path.rfind('/') + 1;  // npos + 1 is 0
    // A file that is called ".log" has no name before its ending.
    const bool ends = path.ends_with(kEnding) && path.size() - name > kEnding.size();
    path.insert(ends ? path.size() - kEnding.size() : path.size(), ".err");
    return path;
}

std::vector<std::string> log_paths(const std::string& log_dir, const TaskSpec& spec) {
    const OutputRule& rule = spec.launch->output;
    if (rule.to != OutputTo::file) return {};
    std::vector<std::string> paths{log_path(log_dir, spec, OutputStream::out)};
    if (rule.apart) paths.push_back(log_path(log_dir, spec, OutputStream::err));
    return paths;
}

}  // namespace vigil::core
