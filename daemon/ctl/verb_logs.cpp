// logs: what tasks have printed. The daemon is asked where; the files are read here.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "ctl/exit_code.hpp"
#include "ctl/log_set.hpp"
#include "ctl/session.hpp"
#include "ctl/verbs.hpp"
#include "protocol/task_logs.hpp"

namespace vigil::ctl {
namespace {

using Clock = std::chrono::steady_clock;
using Places = std::vector<protocol::LogPlace>;

// inotify says nothing of what is written by splice before Linux 6.5, so the files are looked at again.
constexpr core::Duration kLookEvery = std::chrono::milliseconds(100);
constexpr core::Duration kAskEvery = std::chrono::seconds(3);
// While the daemon is asked, no lines come: one that hangs must not hold them up often.
constexpr core::Duration kAskAgainAfterHang = std::chrono::seconds(60);
// A file's time of change is that of the last tick of the kernel's clock.
constexpr auto kClockGrain = std::chrono::milliseconds(20);
constexpr core::Duration kAskWithin = std::chrono::milliseconds(500);

/// The daemon again and again, for tasks that were added since. Says nothing of its failures: the files are
/// there without it.
class Asker {
  public:
    Asker(const Options& options, const Terminal& terminal)
        : options_(options), terminal_(terminal), due_(Clock::now() + kAskEvery) {}

    [[nodiscard]] bool due() const { return Clock::now() >= due_; }

    Places ask() {
        const client::Patience patience{.until = Clock::now() + kAskWithin,
                                        .interrupt_fd = terminal_.interrupt_fd()};
        Places places;
        bool hangs = false;
        if (!client_) {
            auto opened = client::Client::open(
                client::socket_candidates(options_.socket, client::present_surroundings()), patience);
            if (opened)
                client_.emplace(std::move(opened).value());
            else
                hangs = opened.error().kind == client::Fault::Kind::timeout;
        }
        if (client_) {
            auto answer =
                client_->call(protocol::Method::task_logs, client::names_text(options_.names), patience);
            auto read = answer ? protocol::parse_log_places(*answer)
                               : Result<Places, std::string>(Failure{answer.error().message});
            if (read)
                places = std::move(read).value();
            else
                client_.reset();
            hangs = !answer && answer.error().kind == client::Fault::Kind::timeout;
        }
        due_ = Clock::now() + (hangs ? kAskAgainAfterHang : kAskEvery);
        return places;
    }

  private:
    const Options& options_;
    const Terminal& terminal_;
    std::optional<client::Client> client_;
    core::TimePoint due_;
};

/// Every log that is followed stays open.
void raise_file_limit() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    (void)::setrlimit(RLIMIT_NOFILE, &limit);
}

/// `asked_at`: when the daemon was asked for the tasks that are in `logs`.
int follow(LogSet& logs, protocol::WallTime asked_at, const Options& options, const Terminal& terminal) {
    Asker asker(options, terminal);
    while (true) {
        bool more = false;
        if (!logs.print_new(more)) return exit_code::kFailed;
        const client::Patience patience{.until = Clock::now() + (more ? core::Duration{} : kLookEvery),
                                        .interrupt_fd = terminal.interrupt_fd()};
        if (!client::pause(patience)) return terminal.interrupt_code();
        if (!asker.due()) continue;
        const auto now = std::chrono::system_clock::now();
        if (const Places places = asker.ask(); !places.empty()) {
            // All that a task printed since it was added, which was after the last answer.
            logs.add(places, asked_at - kClockGrain);
            asked_at = now;
            if (!logs.print_present())
                return logs.interrupted() ? terminal.interrupt_code() : exit_code::kFailed;
        }
    }
}

}  // namespace

int run_logs(const Options& options, const Terminal& terminal) {
    auto client = connect(options, terminal);
    if (!client) {
        const int code = report(client.error(), options, terminal);
        if (code == exit_code::kUnreachable)
            terminal.complain(
                "the log files are there without it: in daemon.log_dir of the configuration, by "
                "default /var/log/vigil (a user's own: ~/.local/state/vigil/log)");
        return code;
    }
    const auto asked_at = std::chrono::system_clock::now();
    const auto ask = [&](const protocol::Patterns& names) {
        return client->call(protocol::Method::task_logs, client::names_text(names),
                            for_question(options, terminal));
    };
    auto answer = call_for_names(ask, options, terminal);
    if (!answer) return answer.error();
    auto places = protocol::parse_log_places(answer->json);
    if (!places) return report(client->misread(places.error()), options, terminal);

    const bool has_stream = options.stream.empty() ||
                            std::any_of(places->begin(), places->end(), [&](const protocol::LogPlace& place) {
                                return place.stream == options.stream;
                            });
    if (!has_stream && !places->empty()) {
        terminal.complain("no task here keeps stdout and stderr apart: leave --stream out");
        return exit_code::kFailed;
    }
    if (options.follow) raise_file_limit();
    LogSet logs(options, terminal);
    logs.add(*places);
    if (!logs.print_present()) return logs.interrupted() ? terminal.interrupt_code() : exit_code::kFailed;
    // With nothing to follow and nothing that may come, an error is better than silence.
    if (options.follow && !(logs.empty() && logs.failed())) return follow(logs, asked_at, options, terminal);
    return logs.failed() ? exit_code::kFailed : answer->exit_code;
}

}  // namespace vigil::ctl
