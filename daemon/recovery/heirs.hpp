// Layer daemon. The tasks that a daemon before this one has left, made ready to go on: each with the spec
// that its run was started with, be the configuration of now another.
#pragma once

#include <string>
#include <unordered_set>
#include <vector>

#include "config/config.hpp"
#include "core/spec.hpp"
#include "core/supervisor.hpp"
#include "linux/self/features.hpp"
#include "logger.hpp"
#include "recovery/keeping.hpp"
#include "recovery/record_book.hpp"

namespace vigil::daemon {

class TaskProcesses;

class Heirs {
  public:
    /// A task whose spec cannot be read any more goes on with that of the configuration; without one it is
    /// given up, and its run ended with the other left-overs.
    Heirs(Leftovers leftovers, const config::Config& config, const os::Features& features, RecordBook& book,
          spdlog::logger& log);

    [[nodiscard]] bool empty() const noexcept { return tasks_.empty(); }
    /// Names of the cgroups that are to be left alone, as TaskCgroup::name_of() has them.
    [[nodiscard]] std::vector<std::string> cgroups() const;
    /// Paths of the notify sockets that runs use still, as the records or what is kept tell.
    [[nodiscard]] std::unordered_set<std::string> notify_paths(const Kept& kept) const;
    /// Names of those that a configuration had asked for.
    [[nodiscard]] std::vector<std::string> from_file() const;

    struct Into {
        core::Supervisor& supervisor;
        TaskProcesses& processes;
        RecordBook& book;
        Keeping& keeping;
        Kept& kept;
        spdlog::logger& log;
        bool goes_on = false;  ///< from a vigild that was this process
    };
    /// Puts all of them into the supervisor, gives their runs to the processes, and tells what became of
    /// those. What the keeper holds of nobody is let go.
    void take_over(const Into& into, core::TimePoint now);

  private:
    struct Heir {
        state::Found found;
        core::SpecPtr spec;
        bool from_file = true;
        bool drifted = false;  ///< the configuration has another spec for it by now
        bool stored = false;   ///< `spec` is what the spec store has for the record
    };
    std::vector<Heir> tasks_;
};

}  // namespace vigil::daemon
