// What the workers report. One thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/unique_fd.hpp"
#include "report.h"

namespace vigil::bench {

/// The socket of the reports, and what they said last of each task.
class Reports {
  public:
    struct Task {
        pid_t pid = 0;
        std::uint32_t starts = 0;
        std::int64_t started_ns = 0;
    };

    /// Binds the socket at `path`, which goes into each worker's arguments. Ends the program if it cannot.
    Reports(std::string path, std::size_t tasks);

    const std::string& path() const { return path_; }
    const std::vector<Task>& tasks() const { return tasks_; }

    /// Waits for the next report, until the moment `until_ns`; false: none came.
    bool next(BenchReport& report, std::int64_t until_ns);

    /// Waits for `count` starts. Gives the moment of the latest of them; ends the program after `limit_ms`.
    std::int64_t wait_started(std::size_t count, std::int64_t limit_ms);

    /// Reads what is there, without waiting.
    void drain();

  private:
    std::string path_;
    UniqueFd socket_;
    std::vector<Task> tasks_;
};

}  // namespace vigil::bench
