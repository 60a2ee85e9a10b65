// Layer logs. All files of a log at one moment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "logs/log_file.hpp"
#include "logs/log_name.hpp"

namespace vigil::logs {

struct Snapshot {
    std::vector<Part> parts;  ///< by number
    std::optional<LogFile> present;
    /// Why there is no `present` although the file is there.
    std::optional<Error> present_fault;
    /// The number the present file will get, or would if there were one. A guess where every older part is
    /// gone and the time index does not tell.
    std::uint64_t present_number = 1;
};

/// The writer may put the present file aside at any time; a look during which it did is taken again. Error
/// EAGAIN: it did so each time.
[[nodiscard]] Result<Snapshot> take_snapshot(const std::string& log_path);

}  // namespace vigil::logs
