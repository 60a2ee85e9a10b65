// Layer daemon. A keeper that dies is replaced, and the new one is given everything anew: the control socket
// and what the runs speak through, which the loop has, and the pipes of output, which only the output threads
// have. In small portions, so that the loop goes on meanwhile and never holds many of those pipes at a time.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <vector>

#include "core/state.hpp"
#include "core/time.hpp"
#include "logger.hpp"
#include "loop/loop.hpp"
#include "output/collector.hpp"
#include "recovery/keeping.hpp"
#include "supervision/run.hpp"

namespace vigil::daemon {

class KeeperCare {
  public:
    /// What is there to be given anew.
    struct Holders {
        std::function<int()> control;  ///< the listening socket, -1: none
        std::function<std::vector<RunId>()> runs;
        /// All that the loop has of it; nothing of a run that is gone.
        std::function<Keeping::Put(const RunId&)> put_run;
        std::function<void(std::uint64_t after)> show_pipes;
    };
    /// `lock` and `keeping` outlive the loop.
    KeeperCare(Loop& loop, const os::InstanceLock& lock, Keeping& keeping, Holders holders,
               std::shared_ptr<spdlog::logger> log);
    KeeperCare(const KeeperCare&) = delete;
    KeeperCare& operator=(const KeeperCare&) = delete;

    /// From now on the keeper is watched, or one is looked for.
    void begin();
    /// The descriptors of this run were given to a keeper that is not the present one.
    void missed(const RunId& run);
    /// What came of Holders::show_pipes.
    void shown(std::vector<output::ShownPipe>& pipes, const std::optional<output::Showing>& showing);

    /// Whether there is a keeper and it was given all that there is.
    [[nodiscard]] bool complete() const { return !giving_ && keeping_.connection() >= 0; }

  private:
    void watch();
    void lost();
    void try_after_pause();
    void try_now();
    void arrived(Result<ReachedKeeper>& reached);
    void begin_giving();
    void give();
    [[nodiscard]] bool give_runs();
    void finish_giving();

    Loop& loop_;
    const os::InstanceLock& lock_;
    Keeping& keeping_;
    Holders holders_;
    std::shared_ptr<spdlog::logger> log_;
    std::unique_ptr<Watch> watch_;
    Timer retry_;
    Timer portion_;

    UniqueFd dead_;  ///< pidfd of the one before, to be reaped
    core::Duration pause_{};
    core::TimePoint since_{};  ///< when the present one was reached
    bool failed_ = false;      ///< said in the log

    bool giving_ = false;
    bool to_be_told_ = false;  ///< that all is given
    std::size_t given_ = 0;
    std::deque<RunId> runs_;         ///< still to be given
    std::uint64_t pipes_up_to_ = 0;  ///< those of output are given
    bool all_pipes_ = false;
    bool asked_ = false;     ///< for pipes, and not yet answered
    bool outdated_ = false;  ///< it was for a keeper that has died meanwhile
    bool younger_ = false;   ///< there are pipes that the answer will not have
    bool behind_ = false;    ///< of what came of it not all could be put

    std::shared_ptr<char> alive_;  ///< for what comes back later
};

}  // namespace vigil::daemon
