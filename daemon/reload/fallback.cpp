#include "reload/fallback.hpp"

#include <algorithm>
#include <optional>
#include <utility>

#include "config_files.hpp"
#include "json/parse.hpp"
#include "linux/socket/unix_listener.hpp"
#include "place.hpp"
#include "reload/last_good.hpp"
#include "state/table.hpp"

namespace vigil::daemon {
namespace {

/// Whether the main file of what is kept was this one.
bool was_read_from(const std::string& kept, const std::string& file) {
    ConfigFiles files;
    const auto text = files.read(kept);
    if (!text) return false;
    const auto reading = json::parse(*text);
    const json::Value* list = reading ? reading->root.find("x-files") : nullptr;
    const json::Array* names = list != nullptr ? list->as_array() : nullptr;
    const std::string* main = names != nullptr && !names->empty() ? names->front().as_string() : nullptr;
    return main != nullptr && *main == file;
}

/// A clean end removes the table, and a daemon that lives holds the lock.
bool has_left_tasks(const std::string& runtime_dir, const std::string& table) {
    const auto identity = state::Identity::current();
    return identity && state::Table::was_left(table, *identity) &&
           os::InstanceLock::take(runtime_dir + "/lock").ok();
}

std::string summary_of(const std::vector<config::Problem>& problems) {
    std::string text = problems.front().text();
    text.resize(std::min(text.find('\n'), text.size()));
    if (problems.size() > 1) text += " (and " + std::to_string(problems.size() - 1) + " more)";
    return text;
}

}  // namespace

std::optional<ReadConfig> last_good_after_crash(const std::string& file,
                                                const std::vector<config::Problem>& problems) {
    ConfigFiles broken;
    const auto wanted =
        choose_directories(config::load_settings(broken, file).value_or(config::DaemonSettings{}));
    if (!wanted) return std::nullopt;
    const std::string kept = last_good_path(*wanted);
    if (kept.empty() || !was_read_from(kept, file)) return std::nullopt;
    ConfigFiles files;
    auto config = config::load(files, kept);
    if (!config) return std::nullopt;
    const auto used = choose_directories(config->daemon);
    if (!used || !has_left_tasks(used->runtime, state_table_path(*used))) return std::nullopt;
    // From here on it stands for the file that it was read from.
    config->files = {file};
    return ReadConfig{
        .config = std::move(config).value(), .trace = broken.trace(), .fault = summary_of(problems)};
}

}  // namespace vigil::daemon
