#include "config/config.hpp"

#include <algorithm>

#include "base/text.hpp"
#include "config/keys.hpp"

namespace vigil::config {
namespace {

bool is_name_start(char c) noexcept {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool is_name_part(char c) noexcept {
    return is_name_start(c) || c == '_' || c == '.' || c == '@' || c == '-';
}

}  // namespace

std::string_view log_level_name(LogLevel level) noexcept {
    return find_key(Scope::daemon, "log.level")->words[static_cast<std::size_t>(level)];
}

std::string_view orphan_policy_name(OrphanPolicy policy) noexcept {
    return find_key(Scope::daemon, "orphan_policy")->words[static_cast<std::size_t>(policy)];
}

std::string task_name_fault(std::string_view name) {
    // Names become paths, cgroup names and arguments; the pattern keeps all three harmless.
    constexpr std::size_t kLongest = 64;
    if (name.empty()) return "the name of a task cannot be empty";
    if (name.size() > kLongest)
        return "the name of a task has at most 64 characters; this one has " + std::to_string(name.size());
    if (is_name_start(name[0]) && std::all_of(name.begin(), name.end(), is_name_part)) return {};
    return "\"" + escape_for_display(name) +
           "\" cannot name a task; write letters, digits, '_', '.', '@' and '-', beginning with a letter or "
           "digit";
}

}  // namespace vigil::config
