#include "recovery/keeper_care.hpp"

#include <signal.h>

#include <algorithm>

#include "linux/process/process.hpp"

namespace vigil::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr core::Duration kFirstPause = seconds(1);
constexpr core::Duration kLongestPause = seconds(60);
/// One that lived for so long did not die of something that will meet the next one at once.
constexpr core::Duration kLongLife = seconds(60);
/// Of one turn of the loop: some 2 us each.
constexpr std::size_t kRunsAtOnce = 128;
constexpr auto kNextPortion = milliseconds(1);
/// The keeper is behind, or too many descriptors are on their way.
constexpr auto kBehindPause = milliseconds(5);

core::TimePoint clock_now() {
    return std::chrono::steady_clock::now();
}

}  // namespace

KeeperCare::KeeperCare(Loop& loop, const os::InstanceLock& lock, Keeping& keeping, Holders holders,
                       std::shared_ptr<spdlog::logger> log)
    : loop_(loop),
      lock_(lock),
      keeping_(keeping),
      holders_(std::move(holders)),
      log_(std::move(log)),
      retry_(loop, [this] { try_now(); }),
      portion_(loop, [this] { give(); }),
      alive_(std::make_shared<char>()) {}

void KeeperCare::begin() {
    if (keeping_.connection() >= 0) return watch();
    failed_ = true;
    pause_ = kFirstPause;
    try_after_pause();
}

void KeeperCare::watch() {
    since_ = clock_now();
    // It says nothing that it was not asked, and whoever asks waits for the answer: this can only be its end.
    watch_ = std::make_unique<Watch>(loop_, keeping_.connection(), [this](int) {
        watch_->interest(0);
        loop_.defer([this, alive = std::weak_ptr(alive_)] {
            if (!alive.expired()) lost();
        });
    });
    watch_->interest(UV_READABLE);
}

void KeeperCare::lost() {
    watch_.reset();
    dead_ = keeping_.lose();
    giving_ = false;
    portion_.disarm();
    log_->warn("the keeper has died; no task notices, another takes its place");
    if (clock_now() - since_ >= kLongLife) pause_ = {};
    try_after_pause();
}

void KeeperCare::try_after_pause() {
    retry_.arm(clock_now() + pause_);
}

void KeeperCare::try_now() {
    pause_ = std::clamp(pause_ * 2, kFirstPause, kLongestPause);
    struct Attempt {
        UniqueFd dead;
        std::optional<Result<ReachedKeeper>> reached;
    };
    // Where the loop ends before it comes back, one that was started ends with the attempt.
    auto attempt = std::make_shared<Attempt>(Attempt{std::move(dead_), std::nullopt});
    loop_.aside(
        [attempt, &lock = lock_, socket = keeping_.socket()] {
            if (attempt->dead) {
                (void)os::signal_process(attempt->dead.get(), SIGKILL);
                os::wait_and_reap(attempt->dead.get());
            }
            attempt->reached.emplace(ReachedKeeper::reach(lock, socket));
        },
        [this, attempt, alive = std::weak_ptr(alive_)] {
            if (!attempt->reached) attempt->reached.emplace(Failure{Error{"reaching the keeper", ENOMEM}});
            if (!alive.expired()) arrived(*attempt->reached);
        });
}

void KeeperCare::arrived(Result<ReachedKeeper>& reached) {
    if (!reached) {
        if (!std::exchange(failed_, true))
            log_->error(
                "without a keeper, since {}: if vigild is killed, its tasks live on, but what they print "
                "until "
                "it is back is lost; trying again from time to time",
                reached.error().text());
        return try_after_pause();
    }
    keeping_.take(std::move(reached).value());
    watch();
    begin_giving();
}

void KeeperCare::begin_giving() {
    keeping_.hold_control(holders_.control());
    const std::vector<RunId> runs = holders_.runs();
    runs_.assign(runs.begin(), runs.end());
    given_ = 0;
    pipes_up_to_ = 0;
    all_pipes_ = false;
    outdated_ = asked_;
    giving_ = true;
    to_be_told_ = true;
    give();
}

void KeeperCare::missed(const RunId& run) {
    // While there is no keeper, the next one is given everything there is.
    if (keeping_.connection() < 0) return;
    runs_.push_back(run);
    // Its pipes are the youngest; an answer that is on its way does not have them.
    all_pipes_ = false;
    younger_ = asked_;
    giving_ = true;
    portion_.arm(clock_now());
}

/// False: the rest later.
bool KeeperCare::give_runs() {
    for (std::size_t i = 0; i < kRunsAtOnce && !runs_.empty(); ++i) {
        if (holders_.put_run(runs_.front()) == Keeping::Put::later) return false;
        runs_.pop_front();
        ++given_;
    }
    return true;
}

void KeeperCare::give() {
    if (!giving_) return;
    const bool keeps_up = give_runs();
    if (!runs_.empty()) return portion_.arm(clock_now() + (keeps_up ? kNextPortion : kBehindPause));
    if (asked_) return;
    if (all_pipes_) return finish_giving();
    asked_ = true;
    holders_.show_pipes(pipes_up_to_);
}

void KeeperCare::shown(std::vector<output::ShownPipe>& pipes, const std::optional<output::Showing>& showing) {
    for (const output::ShownPipe& pipe : pipes) {
        if (!giving_ || behind_) break;
        const bool out = pipe.stream == core::OutputStream::out;
        const auto put = keeping_.put_again(out ? KeptKind::output : KeptKind::error_output, pipe.task,
                                            pipe.generation, pipe.pipe.get());
        behind_ = put == Keeping::Put::later;
        if (!behind_ && !outdated_) pipes_up_to_ = pipe.number;
    }
    pipes.clear();
    if (!showing) return;
    asked_ = false;
    const bool behind = std::exchange(behind_, false);
    const bool outdated = std::exchange(outdated_, false);
    const bool younger = std::exchange(younger_, false);
    if (!giving_) return;
    // What could not be put is shown once more, rather than kept here: by then its run may be over.
    if (!behind && !outdated) {
        pipes_up_to_ = std::max(pipes_up_to_, showing->up_to);
        all_pipes_ = showing->all && !younger;
    }
    portion_.arm(clock_now() + (behind ? kBehindPause : kNextPortion));
}

void KeeperCare::finish_giving() {
    giving_ = false;
    failed_ = false;
    if (std::exchange(to_be_told_, false))
        log_->info("a new keeper holds everything again, of {} runs", given_);
}

}  // namespace vigil::daemon
