// Layer daemon. What a daemon hands to the program that it goes on as, beside the state table, the spec store
// and what the keeper holds: those serve a successor after a crash just as well, this is what only a living
// predecessor can give.
//
// JSON in a sealed file in memory. Members that a version does not know are skipped and those that are
// missing have their defaults, so that older and newer versions read each other; what cannot be read that way
// raises kFormat.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "control/carried.hpp"

namespace vigil::daemon {

/// A stop.command that runs: a child of ours that no record names.
struct CarriedCommand {
    std::string task;
    std::uint64_t generation = 0;
    pid_t pid = 0;
};

struct Handover {
    static constexpr int kFormat = 1;

    int format = kFormat;
    std::string version;      ///< of the daemon that wrote it
    std::string runtime_dir;  ///< as it uses it
    int lock = -1;            ///< the instance lock
    /// RLIMIT_NOFILE as the daemon was started with, which its children get.
    rlimit open_files{};
    std::chrono::nanoseconds started_at{};  ///< on the steady clock
    bool config_changed = false;            ///< the files on the disk are not what runs
    CarriedClients clients;
    std::vector<CarriedCommand> stop_commands;
};

[[nodiscard]] std::string encode(const Handover& handover);
/// The error is a sentence.
[[nodiscard]] Result<Handover, std::string> decode_handover(std::string_view text);

/// No larger one is read: bytes of clients are written as two digits.
inline constexpr std::size_t kMostHandover = std::size_t{256} << 20;

/// Descriptors that it names.
[[nodiscard]] std::vector<int> descriptors_of(const Handover& handover);

}  // namespace vigil::daemon
