#include "logs/log_snapshot.hpp"

#include <algorithm>
#include <cerrno>

#include "logs/log_times.hpp"

namespace vigil::logs {

Result<Snapshot> take_snapshot(const std::string& log_path) {
    constexpr int kTries = 20;
    for (int tries = 0; tries < kTries; ++tries) {
        Snapshot snapshot;
        // Before the present file is opened: a later mark could be of the file after it.
        const auto mark = last_time(times_path(log_path));
        auto present = LogFile::open(log_path, false);
        auto parts = list_parts(log_path);
        if (!present && present.error().code != ENOENT) snapshot.present_fault = present.error();
        if (!parts) return Failure{snapshot.present_fault.value_or(parts.error())};
        // While it keeps its name no part is added.
        if (present && identity_at(log_path) != present->identity()) continue;
        if (present) snapshot.present = std::move(present).value();
        snapshot.parts = std::move(parts).value();
        if (!snapshot.parts.empty()) snapshot.present_number = snapshot.parts.back().number + 1;
        if (mark && *mark) snapshot.present_number = std::max(snapshot.present_number, (*mark)->number);
        return snapshot;
    }
    return Failure{Error{.doing = "looking at the files of " + log_path, .code = EAGAIN}};
}

}  // namespace vigil::logs
