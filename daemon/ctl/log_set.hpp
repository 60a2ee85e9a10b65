// vigilctl. The logs that one command shows.
#pragma once

#include <array>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "ctl/log_lines.hpp"
#include "ctl/options.hpp"
#include "ctl/terminal.hpp"
#include "logs/log_follower.hpp"

namespace vigil::ctl {

/// Reads logs one after the other and, from then on, all of them as lines come.
class LogSet {
  public:
    LogSet(const Options& options, const Terminal& terminal);

    /// Takes over the places that are not known yet: of those in files the log is read from where the options
    /// say, or, with `from`, from there. What is in no file, or cannot be read, is told of.
    void add(const std::vector<protocol::LogPlace>& places, std::optional<protocol::WallTime> from = {});

    /// Prints what was there when the log was added, log by log. False: the output takes no more, or an
    /// interruption came.
    [[nodiscard]] bool print_present();
    /// Prints what came since. `more`: there may be more at once.
    [[nodiscard]] bool print_new(bool& more);

    /// Whether some log could not be read.
    [[nodiscard]] bool failed() const noexcept { return failed_; }
    [[nodiscard]] bool empty() const noexcept { return logs_.empty(); }
    [[nodiscard]] bool interrupted() const;

  private:
    struct Log {
        protocol::LogPlace place;
        logs::LogFollower follower;
        bool printed = false;  ///< what was there in the beginning
    };
    /// True for each place once.
    [[nodiscard]] bool is_new(const protocol::LogPlace& place);
    [[nodiscard]] Result<logs::Range> range_of(const protocol::LogPlace& place,
                                               std::optional<protocol::WallTime> from) const;
    [[nodiscard]] bool print(Log& log, const logs::LogFollower::Batch& batch);

    const Options& options_;
    const Terminal& terminal_;
    LogLines lines_;
    /// Name, stream, kind and path of all that were told of, in files or not.
    std::set<std::array<std::string, 4>> places_;
    std::deque<Log> logs_;
    bool failed_ = false;
};

}  // namespace vigil::ctl
